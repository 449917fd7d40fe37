/* index.html */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../genmod/file.h"
#include "demo.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}h1{font-size:1.7rem;margin-bottom:.2rem}"
    "h2{font-size:1.15rem;margin:2.2rem 0 .4rem}p{max-width:44rem;margin:.4rem 0}"
    ".pair{display:flex;flex-wrap:wrap;gap:2rem}figure{margin:.6rem 0}"
    "figcaption{font-size:.9rem;color:#555}img{display:block;border:1px solid #ddd;max-width:100%}"
    "table{border-collapse:collapse;margin:.8rem 0}td{padding:.15rem 1.2rem .15rem 0;"
    "border-bottom:1px solid "
    "#eee}td:nth-child(2){text-align:right;font-variant-numeric:tabular-nums}"
    "pre{background:#f6f6f4;padding:.8rem 1rem;white-space:pre-wrap;font-size:.85rem}"
    "svg{width:100%;max-width:44rem;font:12px system-ui,sans-serif}svg path{fill:none}"
    "svg text{fill:#555}.grid{stroke:#eee}.axis{stroke:#999}.loss{stroke:#9bb7d4;stroke-width:1.5}"
    ".valid{stroke:#b3402a;stroke-width:2}";

/* Bits that a pixel takes if each is coded by its own frequencies and nothing else: what is to
 * beat. */
static double independent_bits(const demo *d)
{
    double bits = 0;
    int64_t i, j;

    for (j = 0; j < PIXELS; j++) {
        int64_t count[INK + 1] = {0};
        for (i = 0; i < d->n; i++) {
            int64_t value = (int64_t)d->x[i * PIXELS + j];
            count[value < 0 ? 0 : value > INK ? INK : value]++;
        }
        for (i = 0; i <= INK; i++)
            if (count[i]) {
                double share = (double)count[i] / (double)d->n;
                bits -= share * log2(share);
            }
    }
    return bits / PIXELS;
}

static void write_figures(FILE *file, const demo *d)
{
    double bits = d->best_valid / PIXELS / log(2);

    fprintf(file,
            "<table>\n"
            "<tr><td>log probability of a digit held back, on average</td>"
            "<td>%.2f nats</td></tr>\n"
            "<tr><td>the same, as bits a pixel</td><td>%.3f bits</td></tr>\n"
            "<tr><td>bits a pixel if pixels were independent of each other</td>"
            "<td>%.3f bits</td></tr>\n"
            "<tr><td>bits a pixel if every value were as likely</td><td>%.3f bits</td></tr>\n"
            "<tr><td>parameters of the model</td><td>%lld</td></tr>\n"
            "<tr><td>steps, and the time that they took</td><td>%.0f in %.1f s</td></tr>\n"
            "</table>\n",
            -d->best_valid, bits, independent_bits(d), log2(INK + 1),
            (long long)gm_model_parameter_count(d->model), d->steps, d->seconds);
}

static void write_picture(FILE *file, const char *name, const char *text)
{
    fprintf(file, "<figure><img src=\"%s\" alt=\"%s\"><figcaption>%s</figcaption></figure>\n", name,
            text, text);
}

static void write_head(FILE *file, const demo *d)
{
    fprintf(
        file,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>A normalizing flow learns handwritten digits</title>\n<style>%s</style></head>"
        "<body>\n<h1>A normalizing flow learns handwritten digits</h1>\n"
        "<p>libgenmod %s was shown %lld pictures of 8 x 8 pixels, with values from 0 to 16, and "
        "was not told what they are. It learned their distribution: how probable any picture is, "
        "and how to draw new ones.</p>\n",
        style, gm_version(), (long long)d->n);
    write_figures(file, d);
}

static void write_pictures(FILE *file, const demo *d)
{
    fputs("<h2>Drawn by the model, and real</h2>\n<div class=\"pair\">\n", file);
    write_picture(file, "generated.png", "Drawn by the model: none of these exists");
    write_picture(file, "real.png", "Real digits from the data");
    fprintf(file,
            "</div>\n<h2>The most and the least probable of the real digits</h2>\n"
            "<p>Every one of the %lld real digits was scored. The best have %.1f nats, the worst "
            "%.1f: plain upright strokes against slanted, broken and smudged ones.</p>\n"
            "<div class=\"pair\">\n",
            (long long)d->n, d->logp[d->rank[0]], d->logp[d->rank[d->n - 1]]);
    write_picture(file, "most_probable.png", "Most probable first");
    write_picture(file, "least_probable.png", "Least probable first");
    fputs("</div>\n<h2>From one digit to another</h2>\n"
          "<p>The flow gives each picture a code of 64 numbers and turns any code back into a "
          "picture. Each line begins and ends with a real digit; those between are decoded from "
          "points on the way from one code to the other.</p>\n",
          file);
    write_picture(file, "walks.png", "Four walks");
}

static void write_tail(FILE *file)
{
    fputs(
        "<h2>Do it again</h2>\n<p><code>make demo</code> runs these commands, and then draws this "
        "page. The same seed gives the same bits on every machine.</p>\n<pre>",
        file);
}

/* The commands that were run, as make-demo noted them. */
static void write_commands(FILE *file, const demo *d)
{
    char path[4096];
    FILE *commands;
    int c;

    snprintf(path, sizeof path, "%s/commands.txt", d->folder);
    commands = fopen(path, "r");
    while (commands && (c = fgetc(commands)) != EOF)
        fputs(c == '<'   ? "&lt;"
              : c == '>' ? "&gt;"
              : c == '&' ? "&amp;"
                         : (char[]){(char)c, 0},
              file);
    if (commands)
        fclose(commands);
    fputs("</pre>\n<p>The digits are \"Optical Recognition of Handwritten Digits\" by E. Alpaydin "
          "and C. Kaynak, 1998, UCI Machine Learning Repository, CC BY 4.0.</p>\n</body></html>\n",
          file);
}

int demo_write_page(const demo *d, const log_line *lines, int64_t count)
{
    char path[4096];
    out_file out;
    int status;

    snprintf(path, sizeof path, "%s/index.html", d->folder);
    status = file_open(&out, path);
    if (status)
        return status;
    write_head(out.file, d);
    write_pictures(out.file, d);
    fputs("<h2>How it learned</h2>\n<p>Minus the mean log probability of a digit in nats, on the "
          "digits that were learned from and on a tenth that was held back. Lower is better.</p>\n",
          out.file);
    demo_write_curve(out.file, lines, count);
    write_tail(out.file);
    write_commands(out.file, d);
    return file_close(&out, TOOL_OK);
}
