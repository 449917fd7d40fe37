/* Running a plan: sizes for the batch, pointers for the run, then step after step. */
#include "graph/plan.h"
#include "base/pool.h"

#include <string.h>

/* Below so many operations a step stays on the calling thread: sharing it would cost more than it
 * saves. Who computes never changes a bit. */
#define SHARE_PRODUCT 400000.0
#define SHARE_PROGRAM 40000.0

/* ---- Sizes ----------------------------------------------------------------------------------- */

static int resolve_value(gm__value *v, int64_t batch)
{
    int64_t shift;
    for (int i = 0; i < v->ndim; i++)
        v->dim[i] = gm__dim_at(v->shape[i], batch);
    v->rows = v->ndim ? v->dim[0] : 1;
    if (gm__count_at(v->total, batch, &v->n) || gm__count_at(v->per_row, batch, &v->w) ||
        gm__count_at(v->shift, batch, &shift))
        return 1;
    v->from = (size_t)shift * (size_t)v->size;
    v->pitch = v->w;
    return 0;
}

static void resolve_program(gm__plan *p, gm__step *s)
{
    const gm__program *g = s->program;
    int64_t rows = gm__dim_at(g->first_axis, p->batch);
    double work = 0;
    for (int32_t i = 0; i < g->ncells; i++) {
        const gm__cell *c = &g->cells[i];
        int64_t w = c->yv[0]->w;
        for (int32_t k = 0; k < c->nx; k++) /* the wider of result and operands */
            if (c->xv[k]->rows == rows && c->xv[k]->w > w)
                w = c->xv[k]->w;
        work += c->once ? 0 : (double)rows * (double)w;
    }
    s->operations = work;
    int64_t strips = (rows + g->strip - 1) / g->strip;
    int64_t parts = work < SHARE_PROGRAM ? 1 : strips < p->parts ? strips : p->parts;
    s->parts = (int32_t)(parts > 1 ? parts : 1);
}

int gm__plan_resolve(gm__plan *p, int64_t batch)
{
    int wrong = 0;
    p->batch = batch;
    for (int32_t i = 0; i < p->nvalues; i++)
        if (resolve_value(&p->values[i], batch))
            wrong = 1;
        else if (p->values[i].pitch_of >= 0)
            p->values[i].pitch = p->values[p->values[i].pitch_of].w;
    for (int32_t i = 0; i < p->nsteps; i++) {
        gm__step *s = &p->steps[i];
        s->parts = 1;
        for (int32_t k = 0; s->program && k < s->program->nextents; k++)
            wrong |= resolve_value(&s->program->extents[k], batch);
        if (s->program)
            resolve_program(p, s);
        else if (s->product)
            gm__product_resolve(p, s);
        else if (s->run == gm__whole_columns)
            s->operations = gm__columns_operations(p, s);
        else
            s->operations = (double)p->values[s->x[0]].n;
        if (((s->product || s->run == gm__whole_columns) && s->operations >= SHARE_PRODUCT) ||
            (s->run == gm__whole_sum && s->operations >= SHARE_PROGRAM))
            s->parts = p->parts;
    }
    if (wrong)
        p->batch = 0;
    return wrong;
}

double gm__plan_operations(const gm__plan *p, int64_t batch)
{
    double sum = 0;
    for (int32_t i = 0; i < p->nsteps; i++) {
        const gm__step *s = &p->steps[i];
        double rows = (double)batch / (double)p->batch;
        sum += s->operations * (s->product ? gm__product_share_of(p, s, batch) : rows);
    }
    return sum;
}

/* ---- Row programs ---------------------------------------------------------------------------- */

static void run_strip(const gm__program *g, const gm__strip *s, char *const *base,
                      const int64_t *step, int first)
{
    void *x[64], *y[2];
    for (int32_t i = 0; i < g->ncells; i++) {
        const gm__cell *c = &g->cells[i];
        if ((c->once && !first) || !c->yv[0]->w)
            continue;
        for (int32_t k = 0; k < c->nx; k++)
            x[k] = base[c->x[k]] + s->row0 * step[c->x[k]];
        for (int32_t k = 0; k < c->ny; k++)
            y[k] = base[c->y[k]] + s->row0 * step[c->y[k]];
        c->fn(c, s, y, x);
    }
}

void gm__whole_program(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__program *g = s->program;
    const gm__plan *p = e->plan;
    char *scratch = p->scratch + p->scratch_part * (size_t)part;
    char **base = (char **)scratch;
    int64_t *step = (int64_t *)(base + g->noperands);
    int64_t rows = gm__dim_at(g->first_axis, p->batch), strips = (rows + g->strip - 1) / g->strip;
    int64_t from = strips * part / parts, to = strips * (part + 1) / parts;
    for (int32_t k = 0; k < g->noperands; k++) {
        const gm__operand *o = &g->operands[k];
        base[k] = o->value < 0 ? scratch + o->at : e->ptr[o->value];
        step[k] =
            o->value >= 0 && o->by_rows ? p->values[o->value].w * p->values[o->value].size : 0;
    }
    for (int64_t t = from; t < to; t++) {
        int64_t row0 = t * g->strip, left = rows - row0;
        gm__strip strip = {e->kernels, e->run, row0, left < g->strip ? left : g->strip, p->batch};
        run_strip(g, &strip, base, step, t == from);
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static void set_pointers(gm__plan *p, const gm__run *run)
{
    p->base[GM__IN_POOL] = p->memory;
    p->base[GM__IN_CONST] = p->constants;
    p->base[GM__IN_PARAMS] = run->params;
    p->base[GM__IN_GRADS] = run->grads;
    for (int32_t i = 0; i < p->ninputs; i++) {
        const void *in = run->inputs[i];
        memcpy(&p->base[GM__IN_INPUT + i], &in, sizeof in); /* never written through */
    }
    for (int32_t i = 0; i < p->noutputs; i++)
        p->base[GM__IN_INPUT + p->ninputs + i] = run->outputs ? run->outputs[i] : NULL;
    for (int32_t i = 0; i < p->nvalues; i++) {
        const gm__value *v = &p->values[i], *r = &p->values[v->root];
        p->ptr[i] = r->place >= 0 && p->base[r->place] ? p->base[r->place] + r->at + v->from : NULL;
    }
}

typedef struct job {
    const gm__step *step;
    const gm__exec *exec;
    int32_t parts;
} job;

static void work(void *arg, int32_t part)
{
    const job *j = arg;
    j->step->run(j->step, j->exec, part, j->parts);
}

gm_status gm__plan_run(gm_context *ctx, gm__plan *p, const gm__run *run)
{
    if (run->batch < 1 || run->batch > p->capacity)
        return gm__fail(ctx, GM_E_RANGE, "graph: %lld rows in a plan for 1 to %lld",
                        (long long)run->batch, (long long)p->capacity);
    if (run->batch != p->batch)
        gm__plan_resolve(p, run->batch);
    set_pointers(p, run);
    gm__exec exec = {p, p->kernels, run, p->ptr};
    int32_t most = ctx->team.parts > 1 ? ctx->team.parts : 1;
    for (int32_t i = 0; i < p->nsteps; i++) {
        const gm__step *s = &p->steps[i];
        job j = {s, &exec, s->parts < most ? s->parts : most};
        /* the assignments at the end are made whole or not at all */
        if (i <= p->nsteps - p->nassigned)
            GM_TRY(gm__check_cancel(ctx));
        if (j.parts == 1)
            s->run(s, &exec, 0, 1);
        else
            gm__team_run(&ctx->team, j.parts, work, &j);
    }
    return GM_OK;
}
