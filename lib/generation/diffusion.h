/* The diffusion family. */
#ifndef GM__DIFFUSION_H
#define GM__DIFFUSION_H
#include "genmod/extend.h"
extern const gm_family gm__diffusion_family;
#endif
