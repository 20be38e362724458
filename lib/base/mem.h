/* Checked allocation: every size is a product tested for overflow, every failure is a grn_status
 * with a message. Memory is released with free(). All functions are thread safe. */
#ifndef GRN_BASE_MEM_H
#define GRN_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"

/* n objects of `size` bytes; NULL (message set) on overflow or exhaustion. n == 0 gives a valid
 * pointer to free. */
void *grn_malloc(size_t n, size_t size);
void *grn_calloc(size_t n, size_t size);
/* Like realloc: on failure NULL and the old block stays valid. */
void *grn_realloc(void *p, size_t n, size_t size);

/* GRN_NEW(p, n): p = zeroed array of n; status expression for GRN_TRY. */
#define GRN_NEW(p, n) (((p) = grn_calloc((n), sizeof *(p))) ? GRN_OK : GRN_ENOMEM)
/* GRN_NEW_RAW(p, n): the same, uninitialised. */
#define GRN_NEW_RAW(p, n) (((p) = grn_malloc((n), sizeof *(p))) ? GRN_OK : GRN_ENOMEM)

/* Grows array *p (element size `size`, capacity *cap) to hold at least `need` elements, by
 * doubling. On failure p and cap keep their old values. Use through GRN_GROW. */
grn_status grn_grow(void **p, size_t *cap, size_t need, size_t size) GRN_MUST_USE;
#define GRN_GROW(p, cap, need) grn_grow((void **)&(p), &(cap), (need), sizeof *(p))

/* At least `bytes` at *p, aligned to 64 (for vector kernels); an older, smaller block is freed, its content lost. *cap: bytes there.
 * Start with NULL and 0. On failure *p is NULL and *cap 0. */
grn_status grn_room_aligned(void **p, size_t *cap, size_t bytes) GRN_MUST_USE;

/* grn_malloc for what is read at random: at the border of a cache line and, from 2 MB on, of large pages, which are asked for. */
void *grn_malloc_large(size_t n, size_t size);
#define GRN_NEW_LARGE(p, n) (((p) = grn_malloc_large((n), sizeof *(p))) ? GRN_OK : GRN_ENOMEM)

/* Tests only: the n-th allocation from now on fails (0 = never again). Not thread safe. */
void grn_mem_fail_after(int64_t n);

/* Peak resident memory of this process in bytes; 0 where unknown. */
uint64_t grn_mem_peak(void);

#endif
