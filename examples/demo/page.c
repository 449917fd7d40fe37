/* index.html */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../genmod/file.h"
#include "demo.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:66rem;"
    "margin:2rem auto;padding:0 1rem}h1{font-size:1.7rem;margin-bottom:.2rem}"
    "h2{font-size:1.35rem;margin:2.6rem 0 .4rem}h3{font-size:1.05rem;margin:1.6rem 0 .3rem}"
    "p{max-width:46rem;margin:.4rem 0}.pair{display:flex;flex-wrap:wrap;gap:1.2rem 2rem}"
    ".three{display:grid;grid-template-columns:repeat(auto-fit,minmax(27rem,1fr));gap:1rem}"
    "figure{margin:.6rem 0}figcaption{font-size:.9rem;color:#555}"
    "img{display:block;border:1px solid #ddd;max-width:100%;image-rendering:pixelated}"
    "table{border-collapse:collapse;margin:.8rem 0}th,td{padding:.15rem 1.2rem .15rem 0;"
    "border-bottom:1px solid #eee;text-align:right;font-variant-numeric:tabular-nums}"
    "th{font-weight:600}td:first-child,th:first-child{text-align:left}"
    "pre{background:#f6f6f4;padding:.8rem 1rem;white-space:pre-wrap;font-size:.85rem}"
    "svg{width:100%;max-width:44rem;font:12px system-ui,sans-serif}svg path{fill:none}"
    "svg "
    "text:not(.name){fill:#555}svg.map,img.plane{display:block;width:31rem;max-width:100%;border:"
    "1px "
    "solid #ddd}"
    "svg.map circle{fill-opacity:.55}"
    "svg.map .name{font:700 30px system-ui,sans-serif;stroke:#fff;stroke-width:5px;"
    "paint-order:stroke}"
    ".grid{stroke:#eee}.axis{stroke:#999}.loss{stroke:#9bb7d4;stroke-width:1.5}"
    ".valid{stroke:#b3402a;stroke-width:2}";

static void write_picture(FILE *file, const char *name, const char *text)
{
    fprintf(file, "<figure><img src=\"%s\" alt=\"%s\"><figcaption>%s</figcaption></figure>\n", name,
            text, text);
}

static void write_head(FILE *file, const demo *d)
{
    fprintf(file,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n"
            "<title>Handwritten digits, learned in several ways</title>\n<style>%s</style></head>"
            "<body>\n<h1>Handwritten digits, learned in several ways</h1>\n"
            "<p>libgenmod %s was shown %lld pictures of 8 x 8 pixels, with values from 0 to 16, "
            "and was not told what they are. A diffusion model learned to draw new ones, a "
            "normalizing flow and others how probable any picture is, a variational "
            "autoencoder (VAE) what pictures have in common.</p>\n",
            style, gm_version(), (long long)d->n);
}

/* ---- Generation ------------------------------------------------------------------------------ */

static int write_generation(FILE *file, demo *d)
{
    (void)d;
    fputs("<h2>Generation</h2>\n<h3>Drawn by each model, and real</h3>\n<div class=\"pair\">\n",
          file);
    write_picture(file, "diffusion.png", "Drawn by the diffusion model: none of these exists");
    write_picture(file, "real.png", "Real digits from the data");
    write_picture(file, "flow.png", "Drawn by the flow");
    write_picture(file, "vae.png", "Drawn by the VAE");
    fputs("</div>\n<h3>From noise to digit</h3>\n"
          "<p>A diffusion model starts from noise alone and takes it away step by step. Each line "
          "is one path, stopped at ten moments on its way. The noise has at each "
          "pixel the values that digits have there, so that the rim stays white.</p>\n",
          file);
    write_picture(file, "path.png", "Noise on the left, digits on the right");
    return TOOL_OK;
}

/* ---- Density --------------------------------------------------------------------------------- */

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

static void write_bound(FILE *file, const char *name, double nats)
{
    fprintf(file, "<tr><td>%s</td><td>%.2f</td><td>%.3f</td></tr>\n", name, -nats,
            nats / PIXELS / log(2));
}

static int write_density(FILE *file, demo *d)
{
    fputs("<h2>Density</h2>\n<p>How probable is a digit that was held back? The more probable, the "
          "fewer bits it takes to store.</p>\n<table>\n<tr><th>by</th><th>nats</th>"
          "<th>bits a pixel</th></tr>\n",
          file);
    write_bound(file, "the flow (a lower bound)", d->by[FLOW].best);
    write_bound(file, "the VAE with a code of 16 numbers (a lower bound)", d->by[VAE].best);
    write_bound(file, "an autoregressive network", d->by[AUTOREGRESSIVE].best);
    write_bound(file, "kernels over the digits learned from", d->by[KDE].best);
    write_bound(file, "a Gaussian copula (a lower bound)", d->by[COPULA].best);
    write_bound(file, "each pixel by its own frequencies", independent_bits(d) * PIXELS * log(2));
    write_bound(file, "every value as likely", PIXELS * log(INK + 1));
    fprintf(file,
            "</table>\n<h3>The most and the least probable of the real digits</h3>\n"
            "<p>The flow scored each of the %lld real digits. The best have %.1f "
            "nats, the worst %.1f: plain upright strokes against slanted, broken and smudged "
            "ones.</p>\n"
            "<div class=\"pair\">\n",
            (long long)d->n, d->logp[d->rank[0]], d->logp[d->rank[d->n - 1]]);
    write_picture(file, "most_probable.png", "Most probable first");
    write_picture(file, "least_probable.png", "Least probable first");
    fputs("</div>\n<h3>What may be below?</h3>\n"
          "<p>A density of whole pictures also knows each part given the rest. The autoregressive "
          "model was shown the upper halves of ten digits, and drew the lower ones three times: "
          "alike where the upper half decides, of several kinds where it does not.</p>\n",
          file);
    write_picture(file, "halves.png",
                  "Upper halves, three draws of the rest, and in the last line the real digits");
    return TOOL_OK;
}

/* ---- Representation -------------------------------------------------------------------------- */

static int write_representation(FILE *file, demo *d)
{
    int status;

    fputs("<h2>Representation</h2>\n<h3>A map of the digits</h3>\n"
          "<p>A VAE had to describe each digit by two numbers. Each point is a digit at its two "
          "numbers, coloured by what it is, which the VAE never saw. The sheet beside it shows "
          "what it decodes from points of the same plane.</p>\n<div class=\"pair\">\n<figure>",
          file);
    status = demo_write_map(d, file);
    if (status)
        return status;
    fputs("<figcaption>All digits by their codes</figcaption></figure>\n", file);
    fputs("<figure><img class=\"plane\" src=\"plane.png\" alt=\"decoded plane\"><figcaption>What "
          "the places of the map stand for</figcaption></figure>\n",
          file);
    fprintf(file, "</div>\n<h3>What a code of %lld numbers keeps</h3>\n",
            (long long)gm_model_code_count(d->by[VAE].model));
    write_picture(file, "restored.png", "Digits, and below them what came back from their codes");
    fputs("<h3>From one digit to another</h3>\n"
          "<p>The flow gives each picture a code of 64 numbers and turns any code back into a "
          "picture. Each line begins and ends with a real digit; those between are decoded from "
          "points on the way from one code to the other.</p>\n",
          file);
    write_picture(file, "walks.png", "Four walks");
    return TOOL_OK;
}

/* ---- How it was done ------------------------------------------------------------------------- */

static void write_fit(FILE *file, const demo *d, int by, const char *text)
{
    const fitted *f = &d->by[by];
    const log_line *last = f->count ? &f->lines[f->count - 1] : NULL;

    fprintf(file, "<figure>\n");
    demo_write_curve(file, f);
    fprintf(file, "<figcaption>%s: %lld parameters, %.0f steps in %.1f s</figcaption></figure>\n",
            text, (long long)gm_model_parameter_count(f->model), last ? last->step : 0,
            last ? last->seconds : 0);
}

static void write_curves(FILE *file, const demo *d)
{
    fputs("<h2>How they learned</h2>\n<p>The loss on the digits that were learned from and on a "
          "tenth that was held back; lower is better. For the flow and the VAE it is minus a bound "
          "on the mean log probability of a digit, in nats, for the autoregressive model minus "
          "that itself; for the diffusion model the mean "
          "squared error of what it predicts.</p>\n<div class=\"three\">\n",
          file);
    write_fit(file, d, DIFFUSION, "Diffusion");
    write_fit(file, d, AUTOREGRESSIVE, "Autoregressive");
    write_fit(file, d, FLOW, "Flow");
    write_fit(file, d, VAE, "VAE, 16 numbers");
    write_fit(file, d, MAP, "VAE, 2 numbers");
    fputs("</div>\n", file);
}

/* The commands that were run, as make-demo noted them. */
static int write_commands(FILE *file, const demo *d)
{
    char path[4096];
    FILE *commands;
    int c, status = demo_path(d, "commands.txt", path);

    if (status)
        return status;
    fputs("<h2>Do it again</h2>\n<p><code>make demo</code> runs these commands, and then draws "
          "this page. The same seed gives the same bits on every machine.</p>\n<pre>",
          file);
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
    return TOOL_OK;
}

int demo_write_page(demo *d)
{
    char path[4096];
    out_file out;
    int status = demo_path(d, "index.html", path);

    if (!status)
        status = file_open(&out, path);
    if (status)
        return status;
    write_head(out.file, d);
    status = write_generation(out.file, d);
    if (!status)
        status = write_density(out.file, d);
    if (!status)
        status = write_representation(out.file, d);
    if (!status)
        write_curves(out.file, d);
    if (!status)
        status = write_commands(out.file, d);
    return file_close(&out, status);
}
