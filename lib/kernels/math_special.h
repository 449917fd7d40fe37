#define vf_nan ISA(gm__vf_nan)
#define vd_nan ISA(gm__vd_nan)
VINLINE vf vf_nan(vf x) { return x * __builtin_nanf(""); }
VINLINE vd vd_nan(vd x) { return x * __builtin_nan(""); }
#define vf_gelu vf_nan
#define vf_erf vf_nan
#define vf_erfc vf_nan
#define vf_lgamma vf_nan
#define vf_digamma vf_nan
#define vf_trigamma vf_nan
#define vf_normal_cdf vf_nan
#define vf_normal_quantile vf_nan
#define vd_gelu vd_nan
#define vd_erf vd_nan
#define vd_erfc vd_nan
#define vd_lgamma vd_nan
#define vd_digamma vd_nan
#define vd_trigamma vd_nan
#define vd_normal_cdf vd_nan
#define vd_normal_quantile vd_nan
