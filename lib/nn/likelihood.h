/* Observation models, as their files share them: which columns of x each kind takes, and where its
 * parameters lie in raw.
 *
 * raw holds, kind by kind in the order below, and column by column:
 *     reals, levels     a mean
 *     binaries          a logit
 *     categories        a logit for each column of the block
 * then, with spread=network, what the deviations of reals and of levels are read off; then
 *     tables            a logit for each level
 *     mixtures          of each column `components` logits of the weights, all columns' first, then
 *     logistics         all columns' means, then what all columns' deviations are read off. */
#ifndef GM__LIKELIHOOD_H
#define GM__LIKELIHOOD_H
#include "nn/nn.h"

/* Kinds in the order of raw: TABLES are levels with a probability each, MIXTURES and LOGISTICS
 * reals and levels of several components. */
enum { REALS, LEVELS, BINARIES, CATEGORIES, TABLES, MIXTURES, LOGISTICS, KINDS };

/* Where the columns of each kind lie in x and in raw. */
typedef struct gm__observed {
    const gm_likelihood *l;
    int64_t width, raw;   /* columns of x and of raw */
    int64_t components;   /* of MIXTURES and LOGISTICS */
    int64_t count[KINDS]; /* columns of x that a kind takes */
    int64_t start[KINDS]; /* where they begin among all, kind by kind */
    int64_t first[KINDS]; /* where a kind's parameters begin in raw, the deviations of REALS and
                             LEVELS apart, */
    int64_t spread;       /* which begin here */
    gm_node *asked;       /* (batch or 1, width) what counts of log probabilities; NULL: all */
    int32_t *at;          /* (width) column of x, kind by kind */
    gm_x_column *column;  /* (width) as at */
    /* (width) as at; of levels, and of the deviations of these: */
    double *low, *high, *step, *floor, *begin;
} gm__observed;

/* Fails (0) where l is not one. All of it is the builder's memory. */
int gm__observe(gm_builder *b, const gm_likelihood *l, gm__observed *o);
/* How many levels a column has. */
int64_t gm__level_count(const gm_x_column *c);

/* Deviations of REALS or LEVELS: (1) or (count) or (batch, count). */
gm_node *gm__deviation(gm_builder *b, const gm__observed *o, gm_node *raw, int kind);
/* Logits, means and deviations of MIXTURES or LOGISTICS: (batch, count, components) each. */
void gm__mixture(gm_builder *b, const gm__observed *o, int kind, gm_node *raw, gm_node *parts[3]);
/* x's columns of a kind, in the order of `at`. */
gm_node *gm__x_of(gm_builder *b, const gm__observed *o, gm_node *x, int kind);
/* Log probabilities of a kind's columns (batch, count) summed over those that are asked for:
 * (batch), WIDE. */
gm_node *gm__sum_asked(gm_builder *b, const gm__observed *o, int kind, gm_node *log_p);
/* x within [-most, most]. */
gm_node *gm__within(gm_builder *b, gm_node *x, double most);
/* Log mass of levels x under a logistic around mean, all of one shape but that low and high, the
 * ends of the first and the last level, and step may broadcast. */
gm_node *gm__log_level(gm_builder *b, gm_node *x, gm_node *mean, gm_node *deviation, gm_node *low,
                       gm_node *high, gm_node *step);
/* (count of the kind) each, the builder's: the upper end of the first level, the lower one of the
 * last. NULL after a failure. */
void gm__level_ends(gm_builder *b, const gm__observed *o, int kind, double **low, double **high);
#define GM__MOST_COMPONENTS 1024
#define GM__MOST_TABLE 65536
#define GM__MOST_LOG 30                  /* of the logarithm of a deviation over its start */
#define GM__FARTHEST 1e18                /* of a standardised distance: its square is a float */
#define GM__LOGISTIC 0.55132889542179204 /* sqrt(3) / pi: scale of a logistic of deviation 1 */
#define GM__HALF_LOG_TWO_PI 0.91893853320467274178

/* Tables, mixtures and logistics: log probabilities summed over columns, (batch) WIDE, and for each
 * column of x (batch, count) the mean, and a draw with noise times temperature (NULL: 1). */
gm_node *gm__many_log_prob(gm_builder *b, const gm__observed *o, int kind, gm_node *raw,
                           gm_node *x);
gm_node *gm__many_mean(gm_builder *b, const gm__observed *o, int kind, gm_node *raw);
gm_node *gm__many_draw(gm_builder *b, const gm__observed *o, int kind, gm_node *raw,
                       gm_node *temperature);
/* A draw of levels that lie anywhere, brought to the nearest of them; low, high and step may
 * broadcast. */
gm_node *gm__to_level(gm_builder *b, gm_node *v, gm_node *low, gm_node *high, gm_node *step);
/* log(u / (1 - u)) and -log(-log u) of uniforms, of x's shape, times temperature (NULL: 1). */
gm_node *gm__logistic_like(gm_builder *b, gm_node *x, gm_node *temperature);
gm_node *gm__gumbel_like(gm_builder *b, gm_node *x, gm_node *temperature);

#endif
