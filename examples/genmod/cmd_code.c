/* genmod encode|decode|reconstruct MODEL DATA -o FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const cli_option row_options[] = {
    {"output", 'o', "FILE", "where to [-]"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

static const cli_option code_options[] = {
    {"output", 'o', "FILE", "where to: .csv .tsv .npy .idx, .png for pictures [-]"},
    {"given", 0, "FILE", "conditions: a row of them for each code, or one for all"},
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

static int encode(tool *t, const gm_model *model, const gm_dataset *rows, const gm_options *how)
{
    int64_t n = gm_dataset_row_count(rows), k = gm_model_code_count(model);
    double *z = tool_doubles(n, k);
    gm_array array;
    int result = TOOL_FAILED;

    if (z) {
        gm_array_init(&array, GM_F64, z, n, k);
        result = tool_asked(t, gm_model_encode_rows(t->ctx, model, rows, NULL, how, &array));
    }
    if (!result)
        result = tool_save_matrix((const char *const[]){"z", NULL}, n, k, z,
                                  cli_value(t->args, "output"));
    free(z);
    return result;
}

/* Texts would be read as the numbers of their categories. */
static int check_codes(tool *t, const gm_dataset *codes)
{
    gm_column column = {.struct_size = sizeof column};
    int64_t j, d = gm_dataset_column_count(codes);

    for (j = 0; j < d; j++) {
        if (gm_dataset_column(t->ctx, codes, j, &column))
            return tool_failed(t);
        if (column.categories && strcmp(gm_dataset_category(codes, j, 0), "0") != 0)
            return tool_error("%s: column %lld holds '%s', codes are numbers", t->args->operand[1],
                              (long long)j + 1, gm_dataset_category(codes, j, 0));
    }
    return TOOL_OK;
}

static int decode(tool *t, const gm_model *model, const gm_dataset *codes, const gm_options *how)
{
    int64_t n = gm_dataset_row_count(codes), k = gm_dataset_column_count(codes);
    double *z = tool_doubles(n, k);
    gm_dataset *rows = NULL;
    tool_given given = {0};
    gm_array array;
    int result = z ? check_codes(t, codes) : TOOL_FAILED;

    if (!result)
        result = tool_read_given(t, model, n, &given);
    if (!result)
        result = tool_asked(t, gm_dataset_read_f64(t->ctx, codes, 0, n, z, 0));
    if (!result) {
        gm_array_init(&array, GM_F64, z, n, k);
        result = tool_asked(t, gm_model_decode_rows(t->ctx, model, &array, given.cond, how, &rows));
    }
    if (!result)
        result = tool_save_rows(t, model, rows, cli_value(t->args, "output"));
    gm_dataset_free(rows);
    free(given.cells);
    free(z);
    return result;
}

static int reconstruct(tool *t, const gm_model *model, const gm_dataset *rows,
                       const gm_options *how)
{
    gm_dataset *out = NULL;
    int result = tool_asked(t, gm_model_reconstruct_rows(t->ctx, model, rows, NULL, how, &out));

    if (!result)
        result = tool_save_rows(t, model, out, cli_value(t->args, "output"));
    gm_dataset_free(out);
    return result;
}

typedef int code_call(tool *, const gm_model *, const gm_dataset *, const gm_options *);

static int run(const cli_args *args, code_call *call)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    gm_options *how = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = tool_check_operands(args, call == decode ? "CODES" : "DATA");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result && call == decode)
        result = tool_read_plain(&t, args->operand[1], &rows);
    else if (!result)
        result = tool_read_rows(&t, args->operand[1], &rows);
    if (!result)
        result = tool_options(&t, args->command->name, model, &how);
    if (!result)
        result = call(&t, model, rows, how);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    return tool_close(&t, result);
}

static int run_encode(const cli_args *args)
{
    return run(args, encode);
}

static int run_decode(const cli_args *args)
{
    return run(args, decode);
}

static int run_reconstruct(const cli_args *args)
{
    return run(args, reconstruct);
}

const cli_command command_encode = {
    "encode", "MODEL DATA -o FILE", "the code of each row", 2, 2, row_options, run_encode,
};

const cli_command command_decode = {
    "decode", "MODEL CODES -o FILE", "rows from codes", 2, 2, code_options, run_decode,
};

const cli_command command_reconstruct = {
    "reconstruct", "MODEL DATA -o FILE", "rows through their codes and back", 2, 2,
    row_options,   run_reconstruct,
};
