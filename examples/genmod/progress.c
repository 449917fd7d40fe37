/* How a fit goes: a bar on a terminal, and a log in a file. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"
#include "tool.h"

struct progress {
    FILE *log;
    char *log_path;
    int show;
    int64_t logged; /* the last step in the log */
    double drawn;   /* when the bar was last drawn */
};

/* Whether a bar stands on the terminal now: other lines must wipe it first. */
static int bar_stands;

void progress_wipe(void)
{
    if (bar_stands)
        fputs("\r\033[K", stderr);
    bar_stands = 0;
}

int progress_shown(const progress *p)
{
    return p && p->show;
}

/* ---- The log --------------------------------------------------------------------------------- */

static int open_log(progress *p, const char *path, int append)
{
    p->log = fopen(path, append ? "ab" : "wb");
    p->log_path = malloc(strlen(path) + 1);
    if (!p->log || !p->log_path)
        return tool_error("%s: %s", path, strerror(errno));
    strcpy(p->log_path, path);
    if (fseek(p->log, 0, SEEK_END) != 0 || ftell(p->log) <= 0)
        fputs("step,epoch,seconds,loss,valid,best,rate,items_per_second\n", p->log);
    return TOOL_OK;
}

static void log_number(FILE *log, double x, char after)
{
    if (x == x)
        fprintf(log, "%.9g", x);
    fputc(after, log);
}

/* A line for each step reported; the validation loss only where it is new. */
static void write_log(progress *p, const gm_progress *now)
{
    if (now->step == p->logged && !now->evaluated)
        return;
    p->logged = now->step;
    fprintf(p->log, "%lld,", (long long)now->step);
    log_number(p->log, now->epoch, ',');
    log_number(p->log, now->seconds, ',');
    log_number(p->log, now->loss, ',');
    log_number(p->log, now->evaluated ? now->valid : NAN, ',');
    log_number(p->log, now->best, ',');
    log_number(p->log, now->rate, ',');
    log_number(p->log, now->items_per_second, '\n');
    fflush(p->log);
}

/* ---- The bar --------------------------------------------------------------------------------- */

void progress_time(char *text, int size, double seconds)
{
    long long s = seconds > 0 && seconds < 1e9 ? (long long)(seconds + 0.5) : 0;

    if (s >= 3600)
        snprintf(text, (size_t)size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, (size_t)size, "%lld:%02lld", s / 60, s % 60);
}

static int append(char *text, int at, int size, const char *format, double x)
{
    int more = x == x && at < size ? snprintf(text + at, (size_t)(size - at), format, x) : 0;

    return at + more;
}

/* The figures behind the bar; their length. */
static int figures(const gm_progress *now, char *text, int size)
{
    double speed = now->items_per_second;
    char left[32];
    int at = 0;

    text[0] = 0;
    at = append(text, at, size, "  loss %-8.4g", now->loss);
    at = append(text, at, size, "  valid %-8.4g", now->valid);
    at = append(text, at, size, speed < 1e4 ? "  %5.0f rows/s" : "  %.1fk rows/s",
                speed < 1e4 ? speed : speed / 1e3);
    if (now->seconds_left == now->seconds_left && at < size) {
        progress_time(left, sizeof left, now->seconds_left);
        at += snprintf(text + at, (size_t)(size - at), "  %s left", left);
    }
    return at < size ? at : size - 1;
}

static void draw(const gm_progress *now, int terminal)
{
    char text[256], bar[64];
    double part = now->steps > 0 ? (double)now->step / (double)now->steps : 0;
    int length = figures(now, text, sizeof text), width = terminal - length - 9, full, i;

    if (width > 24)
        width = 24;
    if (width < 0)
        width = 0;
    full = (int)(part * width + 0.5);
    for (i = 0; i < width; i++)
        bar[i] = i < full ? '#' : '.';
    bar[width] = 0;
    if (length > terminal - 7 && terminal > 7)
        text[terminal - 7] = 0;
    fprintf(stderr, "\r%3d%% %s%s%s%s\033[K", (int)(100 * part), width ? "[" : "", bar,
            width ? "]" : "", text);
    fflush(stderr);
    bar_stands = 1;
}

/* ---- Life ------------------------------------------------------------------------------------ */

int progress_open(progress **result, const char *path, int append_to, int show)
{
    progress *p = calloc(1, sizeof *p);
    int status = TOOL_OK;

    *result = p;
    if (!p)
        return tool_error("out of memory");
    p->show = show && system_terminal_width(stderr) > 0;
    p->logged = -1;
    p->drawn = -1;
    if (path)
        status = open_log(p, path, append_to);
    return status;
}

int32_t progress_report(void *user, const gm_progress *now)
{
    progress *p = user;
    double time = system_seconds();

    if (p->log)
        write_log(p, now);
    if (p->show && (time - p->drawn > 0.08 || now->done)) {
        draw(now, system_terminal_width(stderr));
        p->drawn = time;
    }
    return 0;
}

int progress_close(progress *p, const char *last)
{
    int status = TOOL_OK, bad;

    if (!p)
        return TOOL_OK;
    progress_wipe();
    if (p->show && last)
        fprintf(stderr, "%s\n", last);
    if (p->log) {
        bad = ferror(p->log);
        if (fclose(p->log) != 0 || bad)
            status = tool_error("%s: the log could not be written", p->log_path);
    }
    free(p->log_path);
    free(p);
    return status;
}
