/* Normalizing flows with coupling layers. */
#ifndef GM__FLOW_H
#define GM__FLOW_H
#include "genmod/extend.h"
extern const gm_family gm__flow;
#endif
