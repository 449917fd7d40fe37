/* genmod.h: everything but graph building (genmod/extend.h).
 *
 * libgenmod learns the distribution of rows of data, a table or pictures. Then it draws new rows
 * that look like the data, tells how probable a row is, and turns rows into codes and back. It is a
 * small library without dependencies that never ends the process, prints nothing and keeps no
 * global state; and it gives the same bits for any number of threads on every processor.
 *
 * A program goes through these steps:
 *
 * - Make a context, gm_context_create: one for each thread, kept as long as the thread works.
 * - Make a dataset of rows: gm_dataset_from_file, gm_dataset_from_csv, or from memory by
 *   gm_dataset_from_f64 and the like.
 * - Put options by name into a bag: gm_options_create, gm_options_set_int and the like. Whatever
 *   draws random numbers needs the option "seed".
 * - Fit a family of models: gm_fit, gm_fit_with, or gm_trainer_create and gm_trainer_step for a
 *   loop of your own. genmod-flow(7) and its like say what a family is, genmod-fit(7) what every
 *   fit takes.
 * - Ask the model: gm_model_sample for new rows, gm_model_log_prob for log densities,
 *   gm_model_encode, gm_model_decode and gm_model_reconstruct for codes; genmod-calls(7) has their
 *   options. What a family cannot answer fails with GM_E_UNSUPPORTED; gm_family_at and
 *   gm_model_capabilities tell beforehand.
 * - Keep it: gm_model_save, gm_model_load.
 * - Free each object, in any order.
 *
 * A function that can fail returns gm_status: 0, or a negative code, of which gm_context_error has
 * the text. genmod-base(3) has the rules that hold everywhere: failures, who owns what, threads,
 * callbacks. genmod-extend(3) tells how to write a family of your own as functions that build a
 * graph.
 *
 * The source has a short program for each call and each family: examples/README.md lists them.
 * C++ programs may include genmod/genmod.hpp, a view of the same calls with owners and exceptions.
 * doc/THREADS.md tells more of what may run at once, doc/FORMAT.md what a model file holds,
 * doc/ABI.md what stays compatible. */
#ifndef GENMOD_GENMOD_H
#define GENMOD_GENMOD_H

#include "genmod/anomaly.h"
#include "genmod/auto.h"
#include "genmod/base.h"
#include "genmod/compress.h"
#include "genmod/conditional.h"
#include "genmod/dataset.h"
#include "genmod/eval.h"
#include "genmod/kde.h"
#include "genmod/model.h"
#include "genmod/posterior.h"
#include "genmod/train.h"

#endif
