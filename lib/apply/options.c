#include "apply/options.h"
#include "model/model.h"

const gm__use gm__uses[] = {
    {"anomaly", gm__anomaly_options}, {"auto", gm__auto_options}, {"calibrate", gm__check_options},
    {"compare", gm__compare_options}, {"nuts", gm__nuts_options}, {0},
};
