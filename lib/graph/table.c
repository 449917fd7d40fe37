/* The table of operations, joined from the tables of each kind. */
#include "graph/node.h"

static const struct {
    int first;
    const gm__op *rows;
} kinds[] = {
    {GM__OP_INPUT, gm__ops_leaf},
    {GM__OP_MAP1, gm__ops_map1},
    {GM__OP_MAP2, gm__ops_map2},
    {GM__OP_WHERE, gm__ops_other},
    {GM__OP_MATMUL, gm__ops_product},
    {GM__OP_SUM_ALL, gm__ops_reduce},
    {GM__OP_RESHAPE, gm__ops_move},
    {GM__OP_GATHER, gm__ops_index},
    {GM__OP_SPLINE, gm__ops_special},
    {GM__OP_COLUMNS, gm__ops_columns},
    {GM__OP_COUNT, NULL},
};

const gm__op *gm__op_at(int op)
{
    int i = 0;
    if (op < 0 || op >= GM__OP_COUNT)
        return NULL;
    while (op >= kinds[i + 1].first)
        i++;
    return kinds[i].rows + (op - kinds[i].first);
}
