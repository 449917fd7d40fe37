/* The rungs of the ladder, from the quickest to the dearest. Sizes follow the data: what a few
 * hundred rows can bear, and what the seconds can train. */
#include "apply/auto.h"

#include <string.h>

static void say(gm__auto_plan *p, const char *name, const char *value)
{
    size_t at = strlen(p->options);
    gm__format(p->options + at, (int64_t)(sizeof p->options - at), "%s%s=%s", at ? " " : "", name,
               value);
}

static void say_int(gm__auto_plan *p, const char *name, int64_t value)
{
    char text[24];
    gm__write_int(text, value);
    say(p, name, text);
}

/* ---- Without steps --------------------------------------------------------------------------- */

#define SPEED 1e8 /* products a second that the fits below are reckoned with */

/* Products of one component and iteration; d^3 is that of factors, and of eigenvalues where
 * covariances are lifted to the floor. */
static double work_of(const gm__auto_data *data, int full)
{
    double n = (double)data->rows, d = (double)data->columns;
    return full ? n * d * d + 10 * d * d * d : 2 * n * d;
}

/* Whether rows are many enough for a full covariance: with hardly more of them than columns some
 * direction has no spread, and rows held out have no density there. */
static int bears_full(const gm__auto_data *data)
{
    return data->rows >= 4 * data->columns;
}

static void gaussian(const gm__auto_data *data, gm__auto_plan *p)
{
    p->family = "mixture";
    say(p, "components", "1");
    if (!bears_full(data) || work_of(data, 1) > data->seconds * SPEED)
        say(p, "covariance", "diagonal");
}

static void copula(const gm__auto_data *data, gm__auto_plan *p)
{
    if (data->columns > 1)
        p->family = "copula";
}

/* As many components as the seconds bear. */
static int64_t afford(const gm__auto_data *data, int full)
{
    double most = data->seconds * (SPEED / 5) / (work_of(data, full) + 1e4);
    return most < 48 ? (int64_t)most : 48;
}

/* A full covariance of d columns wants some d rows for each component. */
static void mixture(const gm__auto_data *data, gm__auto_plan *p)
{
    int full = bears_full(data) && afford(data, 1) >= 2;
    int64_t most = data->rows / (4 * (full ? data->columns : 2) + 8), can = afford(data, full);
    p->family = "mixture";
    if (can < 2) {
        p->skip = "more than one component of so many rows and columns takes longer than the "
                  "option 'seconds' gives";
        return;
    }
    most = most < can ? most : can;
    most = most < 2 ? 2 : most > 48 ? 48 : most;
    say(p, "components", "auto");
    say_int(p, "max_components", most);
    say(p, "criterion", "valid");
    say(p, "restarts", "1");
    if (!full)
        say(p, "covariance", "diagonal");
}

/* A sixth of the time for choosing bandwidths among some rows, a sixth for the score of the rows
 * held out; each takes time by pairs of rows and columns. */
static void kde(const gm__auto_data *data, gm__auto_plan *p)
{
    double d = (double)data->columns, sixth = data->seconds / 6;
    int64_t pairs = (int64_t)(sixth * 8e5 / d), look = 50;
    if (data->columns > 100)
        return;
    while (look < 2000 && look * look < pairs)
        look += 50;
    p->family = "kde";
    p->most_rows = (int64_t)(sixth * 3e7 / d / ((double)data->held + 1));
    p->most_rows = p->most_rows < 200 ? 200 : p->most_rows;
    say(p, "bandwidth", "likelihood");
    say_int(p, "cv_rows", look);
    say(p, "transform", "standard");
}

/* ---- By steps -------------------------------------------------------------------------------- */

static const char *widths(const gm__auto_data *data)
{
    return data->rows < 500 ? "32,32" : data->rows < 5000 ? "64,64" : "128,128";
}

static void batches(const gm__auto_data *data, gm__auto_plan *p)
{
    if (data->rows < 1024)
        say(p, "batch", data->rows < 256 ? "32" : "64");
    say_int(p, "patience", 15);
}

static void flow(const gm__auto_data *data, gm__auto_plan *p)
{
    if (data->measured + data->whole == 0)
        return;
    p->family = "flow";
    p->weight = 1;
    say(p, "layers", data->rows < 2000 ? "3" : "5");
    say(p, "hidden", widths(data));
    batches(data, p);
}

static void flow_autoregressive(const gm__auto_data *data, gm__auto_plan *p)
{
    if (data->measured + data->whole == 0 || data->columns < 2)
        return;
    p->family = "flow";
    p->weight = 2;
    say(p, "structure", "autoregressive");
    say(p, "layers", data->rows < 2000 ? "2" : "3");
    say(p, "hidden", widths(data));
    if (data->rows < 5000)
        say(p, "dropout", "0.1");
    batches(data, p);
}

static void autoregressive(const gm__auto_data *data, gm__auto_plan *p)
{
    p->family = "autoregressive";
    p->weight = data->measured + data->whole == 0 ? 4 : 2;
    say(p, "hidden", data->rows < 500 ? "64" : data->rows < 5000 ? "128,128" : "256,256");
    say(p, "dropout", data->rows < 5000 ? "0.2" : "0.1");
    batches(data, p);
}

static const struct {
    const char *rung;
    void (*choose)(const gm__auto_data *data, gm__auto_plan *plan);
} rungs[] = {
    {"gaussian", gaussian},
    {"copula", copula},
    {"mixture", mixture},
    {"kde", kde},
    {"flow", flow},
    {"flow-autoregressive", flow_autoregressive},
    {"autoregressive", autoregressive},
};

int gm__auto_rung(int i, const gm__auto_data *data, gm__auto_plan *plan)
{
    if (i >= (int)(sizeof rungs / sizeof *rungs))
        return 0;
    *plan = (gm__auto_plan){.rung = rungs[i].rung};
    rungs[i].choose(data, plan);
    return 1;
}
