/* genmod/genmod.hpp: the C++17 view of libgenmod. Header only, nothing to link beside the library.
 *
 * Handles are objects that free what they own; they move, and a model also copies (it is counted).
 * get() gives the C handle, so that every C function is at hand. Those without a view have nothing
 * to own: gm_version, gm_build_info and their like, gm_status_name, gm_optimizer_name_at,
 * gm_archive_has_text, and the plain forms (_f32, _f64, _memory) of calls that are here.
 * Calls take the context first, as in C: one context for each thread, models shared by all.
 *
 * A call that fails throws genmod::error with the code and the library's text. With
 * GENMOD_NO_EXCEPTIONS defined (or under -fno-exceptions) nothing is thrown: the context keeps the
 * first failure (ok(), status(), message(), clear()), and the call returns an empty object. Calls
 * on empty objects fail too, so a whole sequence may be checked once, at its end. Then a failure
 * of memory in the standard containers ends the program, as it does everywhere in such a build. */
#ifndef GENMOD_GENMOD_HPP
#define GENMOD_GENMOD_HPP

#include "genmod/base.hpp"
#include "genmod/conditional.hpp"
#include "genmod/dataset.hpp"
#include "genmod/density.hpp"
#include "genmod/model.hpp"
#include "genmod/posterior.hpp"
#include "genmod/train.hpp"

#endif
