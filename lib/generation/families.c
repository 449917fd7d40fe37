/* The families that come with the library. */
#include "density/autoregressive.h"
#include "density/copula.h"
#include "density/flow.h"
#include "density/kde_family.h"
#include "density/mixture.h"
#include "generation/diffusion.h"
#include "representation/vae.h"
#include "model/model.h"

const gm_family *const gm__builtin_families[] = {
    &gm__flow,
    &gm__autoregressive,
    &gm__kde_family,
    &gm__mixture_family,
    &gm__copula_family,
    &gm__vae,
    &gm__diffusion_family,
    NULL,
};
