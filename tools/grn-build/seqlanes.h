/* Regions side by side, one to a lane of a vector, for the kernels that score many of them at once. */
#ifndef GRN_BUILD_SEQLANES_H
#define GRN_BUILD_SEQLANES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GRN_LANES 16

/* One region: `lead` + len codes (0..3 = A C G T, 4 = N), of which the last len are scored; ratio[i] = 1 / (4 b_i) with b_i the
 * background frequency of the base at i (0 for N). */
typedef struct {
    const uint8_t *code;
    const double *ratio;
    uint32_t lead, len;
} grn_seqlane_t;

typedef struct {
    size_t n;         /* regions; lanes behind them hold N */
    uint32_t lead;    /* positions in front of the scored ones, in every lane */
    uint32_t len;     /* scored positions of the longest */
    uint32_t *pair;   /* (lead + len + 1, GRN_LANES) 4 x base + next base; N counts as A */
    float *ratio;     /* (lead + len, GRN_LANES) */
    uint32_t w;       /* width that window is of */
    float *window;    /* (len, GRN_LANES) product of ratio over the w positions that end there; 0: one is N or missing */
    size_t pair_cap, ratio_cap, window_cap;
    grn_seqlane_t lane[GRN_LANES]; /* as given; borrowed */
} grn_seqlanes_t;

void grn_seqlanes_clear(grn_seqlanes_t *s);
/* Takes n <= GRN_LANES regions; each lane gets `lead` positions in front, N where a region has fewer. */
grn_status grn_seqlanes_set(grn_seqlanes_t *s, const grn_seqlane_t *lane, size_t n, uint32_t lead) GRN_MUST_USE;
/* Makes window for width w, 1 <= w <= lead + 1; cheap when w grows from call to call. */
void grn_seqlanes_window(grn_seqlanes_t *s, uint32_t w);

#endif
