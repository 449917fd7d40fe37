/* Matrix products by CBLAS. */
#ifndef GM__PRODUCT_CBLAS_H
#define GM__PRODUCT_CBLAS_H
#include "kernels/kernels.h"
/* As gm__products.run, with the maps of k for the epilogue and no scratch. 0 where it cannot: no
 * CBLAS was built in, or a size is beyond its int. All parts of a product answer alike. */
int gm__product_cblas(const gm__kernels *k, const gm__product *p, int part, int parts);
#endif
