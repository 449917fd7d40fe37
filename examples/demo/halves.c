/* Digits of which half is covered, and what the autoregressive model draws there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { HALF = PIXELS / 2, DRAWS = 3, LINES = DRAWS + 2, LINE = CLASSES * PIXELS };

/* A line of upper halves, lines of what may be below them, and a line of what was there. */
int demo_draw_halves(demo *d)
{
    double *sheet = tool_doubles(LINES * CLASSES, PIXELS), *given = tool_doubles(CLASSES, PIXELS);
    gm_options *how = NULL;
    gm_array in, out;
    int status = sheet && given ? demo_one_of_each(d, given) : TOOL_FAILED;
    int64_t i, j, k;

    if (!status) {
        memcpy(sheet + (LINES - 1) * LINE, given, LINE * sizeof *given);
        memcpy(sheet, given, LINE * sizeof *given);
        for (i = 0; i < CLASSES; i++)
            for (j = HALF; j < PIXELS; j++) {
                sheet[i * PIXELS + j] = 0;
                given[i * PIXELS + j] = NAN;
            }
        status = tool_options(&d->t, "impute", NULL, &how);
    }
    for (k = 1; k <= DRAWS && !status; k++) {
        gm_array_init(&in, GM_F64, given, CLASSES, PIXELS);
        gm_array_init(&out, GM_F64, sheet + k * LINE, CLASSES, PIXELS);
        if (gm_options_set_int(d->t.ctx, how, "seed", k) ||
            gm_model_sample_given(d->t.ctx, d->by[AUTOREGRESSIVE].model, CLASSES, &in, NULL, how,
                                  &out))
            status = tool_failed(&d->t);
    }
    if (!status)
        status = demo_save(d, "halves.png", (int64_t)LINES * CLASSES, CLASSES, sheet);
    gm_options_free(how);
    free(given);
    free(sheet);
    return status;
}
