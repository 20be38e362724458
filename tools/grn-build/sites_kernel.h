/* The loops of the site scanner over bytes. Private to sites.c; three copies that give the same bytes. */
#ifndef GRN_BUILD_SITES_KERNEL_H
#define GRN_BUILD_SITES_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define GRN_SITES_BLOCK 128 /* starts at a time: buffers are read and written up to the next multiple */

typedef struct {
    /* fall[i] = the lesser, over both strands, of the sum of tab[strand][k][pair[i + 2 k]], k < n_pair, at most 255.
     * pair: values < 16, readable to GRN_SITES_BLOCK + 2 n_pair behind len. tab: (2, n_pair, 16). */
    void (*falls)(const uint8_t *pair, size_t len, uint32_t n_pair, const uint8_t *tab, uint8_t *fall);
    /* The i < len with fall[i] <= most, ascending, into at (room for len); returns how many. */
    size_t (*within)(const uint8_t *fall, size_t len, uint8_t most, uint32_t *at);
    uint8_t (*least)(const uint8_t *fall, size_t len); /* 255 for len = 0 */
} grn_sites_kernel_t;

extern const grn_sites_kernel_t grn_sites_kernel_base;
#if defined(__x86_64__)
extern const grn_sites_kernel_t grn_sites_kernel_avx2, grn_sites_kernel_avx512;
#endif

#endif
