/* genmod.h: everything but graph building (genmod/extend.h).
 *
 * libgenmod learns generative models: it draws new samples, estimates densities and learns
 * representations. Start with gm_context_create, gm_dataset_from_csv, gm_fit, and the calls of
 * genmod/model.h. */
#ifndef GENMOD_GENMOD_H
#define GENMOD_GENMOD_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"
#include "genmod/train.h"

#endif
