#ifndef GM__AUTOREGRESSIVE_H
#define GM__AUTOREGRESSIVE_H
#include "genmod/extend.h"

extern const gm_family gm__autoregressive;

#endif
