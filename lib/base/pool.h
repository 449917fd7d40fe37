/* Who computes. A team is a pool, a host's executor, or the caller alone. */
#ifndef GM__POOL_H
#define GM__POOL_H
#include "genmod/base.h"
typedef struct gm__team {
    gm_pool *pool;        /* counted; or NULL */
    gm_executor executor; /* used if .run is set */
    int32_t parts;        /* how many shares to make of a large piece of work; at least 1 */
} gm__team;
/* Calls work(arg, part) for every part in [0, parts) and returns when all are done. parts 1, or a child
 * after fork, or a team without helpers: on this thread, in order. Takes no memory. Workers spin some microseconds after
 * work before they sleep, so that runs of small pieces cost well under a microsecond each. Workers run in the
 * default floating-point mode. Not to be nested: work must not call it. */
void gm__team_run(const gm__team *team, int32_t parts, void (*work)(void *arg, int32_t part), void *arg);
void gm__pool_retain(gm_pool *pool);
int32_t gm__processors(void);
#endif
