/* Who computes. A team is a pool, a host's executor, or the caller alone. */
#ifndef GM__POOL_H
#define GM__POOL_H

#include "genmod/base.h"

typedef struct gm__team {
    gm_pool *pool;        /* counted; or NULL */
    gm_executor executor; /* used instead where .run is set */
    int32_t parts;        /* how many shares to make of a large piece of work; at least 1 */
} gm__team;

/* Calls work(arg, part) once for every part in [0, parts) and returns when all have returned. One
 * part, a team without helpers, a pool at work for another thread, or a child after fork: on this
 * thread, in order. Takes no memory and cannot fail. Workers spin some microseconds after work
 * before they sleep, so that a run of small pieces costs well under a microsecond each. Every part
 * runs in the default floating-point mode (this thread is in it: gm__enter). Work must not call
 * this. */
void gm__team_run(const gm__team *team, int32_t parts, void (*work)(void *arg, int32_t part),
                  void *arg);

void gm__pool_retain(gm_pool *pool);
/* Processors that this process may run on; at least 1. */
int32_t gm__processors(void);

#endif
