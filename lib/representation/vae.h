/* Variational autoencoders. */
#ifndef GM__VAE_H
#define GM__VAE_H
#include "genmod/extend.h"
extern const gm_family gm__vae;
#endif
