#include "apply/auto.h"
#include "base/context.h"

#include <string.h>

int64_t gm_auto_report_count(const gm_auto_report *report)
{
    return report ? report->count : 0;
}

gm_status gm_auto_report_row(gm_context *ctx, const gm_auto_report *report, int64_t i,
                             gm_auto_row *row)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!report || !row || row->struct_size < sizeof row->struct_size)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG,
                                  "gm_auto_report_row: report or row is NULL, or its struct_size "
                                  "is not set"));
    if (i < 0 || i >= report->count)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_RANGE, "gm_auto_report_row: there are %lld rows",
                                  (long long)report->count));
    gm_auto_row full = report->tries[i].row;
    full.struct_size = row->struct_size;
    memcpy(row, &full, row->struct_size < sizeof full ? row->struct_size : sizeof full);
    return gm__leave(ctx, &entry, GM_OK);
}

void gm_auto_report_free(gm_auto_report *report)
{
    if (!report)
        return;
    gm_allocator a = report->allocator;
    gm__free(&a, report, sizeof *report);
}
