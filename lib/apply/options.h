/* The options tables of the uses, by the name of their owner. */
#ifndef GM__APPLY_OPTIONS_H
#define GM__APPLY_OPTIONS_H
#include "base/options.h"

extern const gm_option_row gm__nuts_options[];
extern const gm_option_row gm__auto_options[];
extern const gm_option_row gm__anomaly_options[];
extern const gm_option_row gm__compare_options[], gm__check_options[]; /* of eval */

#endif
