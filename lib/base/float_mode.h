/* The floating-point mode: rounding to nearest, subnormals kept, no traps. */
#ifndef GM__FLOAT_MODE_H
#define GM__FLOAT_MODE_H

#include <stdint.h>

/* Sets the default mode and returns what was before, for gm__float_mode_restore. */
uint64_t gm__float_mode_default(void);
void gm__float_mode_restore(uint64_t mode);

#endif
