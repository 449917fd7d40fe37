/* Made by test/tools/fit_coefficients.py; do not edit. Polynomial coefficients, lowest first. */
#ifndef GM__MATH_COEF_H
#define GM__MATH_COEF_H

/* (e^r - 1 - r) / r^2 on [-0.34692, 0.34692]: error 2.1e-9 of at most 0.563. */
#define GM_EXP_F32 \
    0x1.0000000000000p-1f, 0x1.5555560000000p-3f, 0x1.5555000000000p-5f, 0x1.110fc80000000p-7f, \
    0x1.6d308e0000000p-10f, 0x1.a2cb1c0000000p-13f

/* (log(1+f) - f + f^2/2) / f^3 on [-0.292894, 0.414215]: error 1.6e-7 of at most 0.429. */
#define GM_LOG_F32 \
    0x1.5555520000000p-2f, -0x1.0000c60000000p-2f, 0x1.99a1680000000p-3f, -0x1.54d5b20000000p-3f, \
    0x1.22da060000000p-3f, -0x1.09a5900000000p-3f, 0x1.0466ce0000000p-3f, -0x1.4c1c640000000p-4f

/* (sin r - r) / r^3 in r^2 on [0.0, 0.618085]: error 5.0e-9 of at most 0.167. */
#define GM_SIN_F32 \
    -0x1.5555560000000p-3f, 0x1.1111980000000p-7f, -0x1.a083120000000p-13f, 0x1.8775340000000p-19f

/* (cos r - 1 + r^2/2) / r^4 in r^2 on [0.0, 0.618085]: error 2.5e-9 of at most 0.0417. */
#define GM_COS_F32 \
    0x1.5555540000000p-5f, -0x1.6c129c0000000p-10f, 0x1.9bc6120000000p-16f

/* (tanh x - x) / x^3 in x^2 on [0.0, 0.31]: error 9.9e-9 of at most 0.333. */
#define GM_TANH_F32 \
    -0x1.5555560000000p-2f, 0x1.11115e0000000p-3f, -0x1.ba2d300000000p-5f, 0x1.66e6cc0000000p-6f, \
    -0x1.2083780000000p-7f, 0x1.757c160000000p-9f

/* (atan t - t) / t^3 in t^2 on [0.0, 0.172]: error 2.0e-8 of at most 0.333. */
#define GM_ATAN_F32 \
    -0x1.5555540000000p-2f, 0x1.99970a0000000p-3f, -0x1.241d260000000p-3f, 0x1.b7e0a60000000p-4f, \
    -0x1.07c7380000000p-4f

/* (e^r - 1 - r) / r^2 on [-0.34692, 0.34692]: error 1.5e-18 of at most 0.563. */
#define GM_EXP_F64 \
    0x1.0000000000000p-1, 0x1.5555555555557p-3, 0x1.5555555555556p-5, 0x1.1111111110045p-7, \
    0x1.6c16c16c15fefp-10, 0x1.a01a01ac27468p-13, 0x1.a01a01a82049dp-16, 0x1.71de018a4e96dp-19, \
    0x1.27e4d7fddc246p-22, 0x1.af4f1961bbff2p-26, 0x1.1f7919372ca92p-29

/* the same, short on [-0.34692, 0.34692]: error 1.4e-9 of at most 0.563. */
#define GM_EXP_SHORT \
    0x1.0000000ba2319p-1, 0x1.555555676d035p-3, 0x1.5554e89e08b48p-5, 0x1.1110c5eb9c3bfp-7, \
    0x1.6d43b363df7c8p-10, 0x1.a1520cbd4b396p-13

/* (log((1+s)/(1-s)) - 2s) / s^3 in s^2 on [0.0, 0.02945]: error 3.7e-17 of at most 0.679. */
#define GM_LOG_F64 \
    0x1.5555555555555p-1, 0x1.9999999999d57p-2, 0x1.249249242f2dfp-2, 0x1.c71c725be1cbfp-3, \
    0x1.745cdba512221p-3, 0x1.3b214fd51fabap-3, 0x1.0f4afd2350cc1p-3, 0x1.101aece3e895bp-3

/* (sin r - r) / r^3 in r^2 on [0.0, 0.618085]: error 9.3e-18 of at most 0.167. */
#define GM_SIN_F64 \
    -0x1.5555555555555p-3, 0x1.111111111101fp-7, -0x1.a01a019fe8dc5p-13, 0x1.71de3a10d6808p-19, \
    -0x1.ae63f90709ef2p-26, 0x1.60e694a9b66dap-33, -0x1.8dc40a95e2836p-41

/* (cos r - 1 + r^2/2) / r^4 in r^2 on [0.0, 0.618085]: error 2.3e-18 of at most 0.0417. */
#define GM_COS_F64 \
    0x1.5555555555555p-5, -0x1.6c16c16c16a33p-10, 0x1.a01a019fb80f0p-16, -0x1.27e4faef7e369p-22, \
    0x1.1eecd71c4bbdcp-29, -0x1.92a81992c9e90p-37, 0x1.35ab3554ac5a4p-45

/* (tanh x - x) / x^3 in x^2 on [0.0, 0.31]: error 1.9e-17 of at most 0.333. */
#define GM_TANH_F64 \
    -0x1.5555555555555p-2, 0x1.1111111111031p-3, -0x1.ba1ba1ba05db7p-5, 0x1.664f487ae6ce4p-6, \
    -0x1.226e33c8543b1p-7, 0x1.d6d36b686b893p-9, -0x1.7d9b1a9c40b3dp-10, 0x1.34e38a4b7d981p-11, \
    -0x1.eccb59c09b950p-13, 0x1.5ed9738617bcbp-14, -0x1.90368e1eecc90p-17, -0x1.22c5e97764eb1p-16, \
    0x1.ae6bb5410ae8bp-17

/* (atan t - t) / t^3 in t^2 on [0.0, 0.172]: error 1.9e-17 of at most 0.333. */
#define GM_ATAN_F64 \
    -0x1.5555555555555p-2, 0x1.9999999999814p-3, -0x1.2492492481b82p-3, 0x1.c71c71bc98c1fp-4, \
    -0x1.745d1564d0663p-4, 0x1.3b137bc6d7984p-4, -0x1.110d289c40f63p-4, 0x1.e17ea97ac6f7ap-5, \
    -0x1.abc811d27e1a5p-5, 0x1.7203e9d3c1474p-5, -0x1.148e404409ad4p-5, 0x1.fab43b3af10e7p-7

/* (erf(x)/x) in x^2 on [0.0, 0.2198]: error 1.5e-17 of at most 1.13. */
#define GM_ERF_F64 \
    0x1.20dd750429b6dp+0, -0x1.812746b03798bp-2, 0x1.ce2f21a039f42p-4, -0x1.b82ce30c5a2cep-6, \
    0x1.565bcaaa56d6dp-8, -0x1.c02c97557e257p-11, 0x1.f95028c514c9bp-14, -0x1.e58aced3a990cp-17, \
    0x1.637ed6acb1688p-30, 0x1.a86b0fbb025c2p-19, -0x1.80e50fb83085cp-19

/* the same, short on [0.0, 0.2198]: error 6.1e-12 of at most 1.13. */
#define GM_ERF_SHORT \
    0x1.20dd75042307fp+0, -0x1.8127468ded22fp-2, 0x1.ce2f051698b9cp-4, -0x1.b8242fb2084b9p-6, \
    0x1.5527c808e18b9p-8, -0x1.9892dfc013a56p-11

/* (1+2x) e^(x^2) erfc(x) in (x-3)/(x+3) on [-0.729755, 1.0]: error 4.5e-17 of at most 1.29. */
#define GM_ERFC_F64 \
    0x1.40c522d7e4987p+0, -0x1.15c084bb9e8f3p-3, -0x1.85a15c58aa304p-5, 0x1.098366a5b46c2p-3, \
    -0x1.e88b803a4be5dp-4, 0x1.17ca2877f13f0p-4, -0x1.8574c40b468dbp-6, 0x1.4b884e439356ep-9, \
    0x1.ef1bdd1dc2a3dp-10, -0x1.98db51112238ep-11, -0x1.b912781e25cf3p-14, 0x1.065a3b8d2eb12p-13, \
    0x1.4c2b7b03a4067p-18, -0x1.513cd5a8a9c83p-16, -0x1.896d5d36b046dp-21, 0x1.d246320fe1e32p-19, \
    0x1.82d4dabb47bddp-22, -0x1.4d6ce7ca908fbp-21, -0x1.3a3368187ba37p-23, 0x1.d4a4dd07f9224p-24, \
    0x1.7eb9f9ab70e52p-25, -0x1.54ec41960dd98p-26, -0x1.158f758705a10p-27, 0x1.db19490f55a38p-29

/* the same, short on [-0.729755, 1.0]: error 1.7e-9 of at most 1.29. */
#define GM_ERFC_SHORT \
    0x1.40c522d48fb08p+0, -0x1.15c08287dc5e7p-3, -0x1.85a130447eaa5p-5, 0x1.09831da75028fp-3, \
    -0x1.e88ce5981a919p-4, 0x1.17cfbbe21df24p-4, -0x1.8555645ecc991p-6, 0x1.488b7c7a5e0abp-9, \
    0x1.ea77b9f9562cap-10, -0x1.7fbcf2fede34ep-11, -0x1.7125082a81282p-14, 0x1.4241e35569c11p-14

/* (lgamma(x) - (x-1/2) log x + x - log(2 pi)/2) x in 1/x^2 on [0.0, 0.015625]: error 4.6e-18 of at most 0.0833. */
#define GM_STIRLING \
    0x1.5555555555555p-4, -0x1.6c16c16c0ec11p-9, 0x1.a01a01300eb54p-11, -0x1.3812d1191ee12p-11, \
    0x1.b8bf0e7e9d878p-11, -0x1.d3f0cbd00bf90p-10, -0x1.65ec5e8383db1p-9, 0x1.38e7b18897b5bp-2, \
    -0x1.3a31faaad58fep+2

/* lgamma(2+d) / d on [-0.5001, 0.5001]: error 5.3e-18 of at most 0.569. */
#define GM_LGAMMA_2 \
    0x1.b0ee6072093cep-2, 0x1.4a34cc4a60fa7p-2, -0x1.13e001a5575b3p-4, 0x1.51322ac7d7c7fp-6, \
    -0x1.e404fc21a5975p-8, 0x1.7add6eaea51bap-9, -0x1.38ac5c2159508p-10, 0x1.0b36af1b825f0p-11, \
    -0x1.d3fd51de243c4p-13, 0x1.a127e6464c32bp-14, -0x1.78dd938f4a720p-15, 0x1.5805da91b1427p-16, \
    -0x1.3ccd09c48f73dp-17, 0x1.265082e53cab7p-18, -0x1.110507f7ee681p-19, 0x1.ece12d251e7a6p-21, \
    -0x1.e53319f6c09f1p-22, 0x1.2d3760528fcd7p-22, -0x1.f2456acdd7c29p-24

/* lgamma(1+d) / d on [-0.2001, 0.2501]: error 5.0e-18 of at most 0.76. */
#define GM_LGAMMA_1 \
    -0x1.2788cfc6fb619p-1, 0x1.a51a6625307d3p-1, -0x1.9a4d55beab282p-2, 0x1.151322ac7dae3p-2, \
    -0x1.a8b9c17ab1cafp-3, 0x1.5b40cb0f8fbe8p-3, -0x1.2703a1d6c2438p-3, 0x1.010b36fa96b70p-3, \
    -0x1.c806744c6f3fdp-4, 0x1.9a01b52c86e71p-4, -0x1.748b60b2556adp-4, 0x1.5572cbea25dc2p-4, \
    -0x1.3b3c63193925cp-4, 0x1.23d4a23e3ef8dp-4, -0x1.0e298406ef346p-4, 0x1.0928df1ad83cfp-4, \
    -0x1.188dd2ac04428p-4, 0x1.8b50e720219cep-5

/* (digamma(x) - log x + 1/(2x)) x^2 in 1/x^2 on [0.0, 0.015625]: error 4.6e-18 of at most 0.0833. */
#define GM_DIGAMMA_BIG \
    -0x1.5555555555555p-4, 0x1.111111110f0f9p-7, -0x1.041040f5f802fp-8, 0x1.1110facd9d176p-8, \
    -0x1.f0696e36b8959p-8, 0x1.57599c803a4f0p-6, -0x1.2e0f98819cb4cp-4, 0x1.3da6e70915be5p-4, \
    0x1.9eb014f73d37fp+1

/* digamma(z0+d) / d on [-0.461632, 0.538368]: error 3.4e-17 of at most 1.25. */
#define GM_DIGAMMA_MID \
    0x1.ef72bc8ee38acp-1, -0x1.c563b54aa1a36p-2, 0x1.08b4294d5029bp-2, -0x1.4fc1317257c3ep-3, \
    0x1.b9a5b63728403p-4, -0x1.27baba26319cap-4, 0x1.8fce02a82523bp-5, -0x1.0fa7ec2d3f2a5p-5, \
    0x1.723d6a49bc988p-6, -0x1.f970555529fb0p-7, 0x1.59557bcb4aaa1p-7, -0x1.d8274a85a6aacp-8, \
    0x1.42e88bee60f41p-8, -0x1.b9c25f22b8938p-9, 0x1.2dc02a4064909p-9, -0x1.9c337687c0086p-10, \
    0x1.1e554efc71a9fp-10, -0x1.8f5472d316dc0p-11, 0x1.ec10bbb16a848p-12, -0x1.1b2fc975686bep-12, \
    0x1.23438f3500a46p-12, -0x1.318b1b2637928p-12, 0x1.093ca21011d1ap-13

/* (trigamma(x) - 1/x - 1/(2x^2)) x^3 in 1/x^2 on [0.0, 0.015625]: error 9.3e-18 of at most 0.167. */
#define GM_TRIGAMMA_BIG \
    0x1.5555555555555p-3, -0x1.111111110fd0cp-5, 0x1.8618617b120b6p-6, -0x1.111106060cfe9p-5, \
    0x1.3647949ab1ea8p-4, -0x1.023b37c27effbp-2, 0x1.12fcb04d3d1afp+0, -0x1.a0ec60188cff4p+0, \
    -0x1.ee3843256d677p+6, 0x1.015fa3911fa7dp+11

/* (quantile(1/2+y) / y - sqrt(2 pi)) / y^2 in y^2 on [0.0, 0.0626]: error 1.2e-16 of at most 3.06. */
#define GM_QUANTILE_MID \
    0x1.4ffddeaa22dc8p+1, 0x1.71713082d9b8ap+2, 0x1.f55d0d78d9bb4p+3, 0x1.78494afdae8acp+5, \
    0x1.2ba8d8e4a0542p+7, 0x1.f0469ac87ab80p+8, 0x1.a66b2514af027p+10, 0x1.6fd9ce57c6887p+12, \
    0x1.3c41ed3196cddp+14, 0x1.607941de30e83p+16, -0x1.8c5fa2b677c22p+16, 0x1.b368829c8555bp+22, \
    -0x1.058ce4e50fb6ap+26, 0x1.148794d4646d6p+29, -0x1.3b9a44782608cp+31, 0x1.7266d350c2d63p+32

/* z/r in (r-2)/(r+2), Phi(-z) = e^(-r^2) on [-0.258891, 0.5]: error 2.6e-17 of at most 1.35. */
#define GM_QUANTILE_NEAR \
    0x1.0b803449342fcp+0, 0x1.2be22704be2cbp+0, -0x1.c5ddbd7893b1dp+0, 0x1.08d6beaf36080p+1, \
    -0x1.231bb9380331ep+1, 0x1.35cb846682fc8p+1, -0x1.44fcf99b69638p+1, 0x1.515b56bf59be4p+1, \
    -0x1.5bf7c0db0f768p+1, 0x1.6513d584fdcfep+1, -0x1.6d2a5a974ba80p+1, 0x1.745739c627673p+1, \
    -0x1.7ad6a54f91f69p+1, 0x1.80bac9901faa0p+1, -0x1.86445ecbf3529p+1, 0x1.8b746168f69d5p+1, \
    -0x1.8f074ae626d6dp+1, 0x1.8fc660be16129p+1, -0x1.96b75afc21155p+1, 0x1.b5bbcbc4c7f98p+1, \
    -0x1.d6361407b8f32p+1, 0x1.9e5dadf09fa20p+1, -0x1.d9f81205631a3p+0, 0x1.f46586ceb5d0ap-2

/* the same in (r-4)/(r+4) on [0.199199, 0.744409]: error 1.2e-17 of at most 1.41. */
#define GM_QUANTILE_FAR \
    0x1.4b598f656081dp+0, 0x1.96efad6a0f435p-2, -0x1.460d03e0dc82bp-1, 0x1.9077b62eccb82p-1, \
    -0x1.c616db6371c5bp-1, 0x1.e09f35c366582p-1, -0x1.aba876edd358cp-1, 0x1.2adbe0c3ced78p-3, \
    0x1.30c14860960fcp+1, -0x1.2c123db7a83f8p+3, 0x1.8705cd057f4a8p+4, -0x1.8a4bdec6e002bp+5, \
    0x1.3c763994074bdp+6, -0x1.9491acba82551p+6, 0x1.974f743313f9ap+6, -0x1.3c175d8868f4dp+6, \
    0x1.6d083a3069467p+5, -0x1.27734f0fc03afp+4, 0x1.2b3d2caf0e316p+2, -0x1.1d9ae73255991p-1

#endif
