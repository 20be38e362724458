#include "base/mem.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define LARGE_PAGE ((size_t)2 << 20)

static int64_t fail_after; /* tests: 1 = the next allocation fails; 0 = off */

static int size_ok(size_t n, size_t size, size_t *bytes)
{
    if (fail_after > 0 && --fail_after == 0) {
        (void)grn_err(GRN_ENOMEM, "out of memory (test)");
        return 0;
    }
    if (__builtin_mul_overflow(n, size, bytes)) {
        (void)grn_err(GRN_ENOMEM, "out of memory: %zu objects of %zu bytes", n, size);
        return 0;
    }
    if (*bytes == 0) *bytes = 1;
    return 1;
}

static void *checked(void *p, size_t bytes)
{
    if (!p) (void)grn_err(GRN_ENOMEM, "out of memory: %zu bytes", bytes);
    return p;
}

void *grn_malloc(size_t n, size_t size)
{
    size_t bytes;
    return size_ok(n, size, &bytes) ? checked(malloc(bytes), bytes) : NULL;
}

void *grn_calloc(size_t n, size_t size)
{
    size_t bytes;
    return size_ok(n, size, &bytes) ? checked(calloc(bytes, 1), bytes) : NULL;
}

void *grn_realloc(void *p, size_t n, size_t size)
{
    size_t bytes;
    return size_ok(n, size, &bytes) ? checked(realloc(p, bytes), bytes) : NULL;
}

grn_status grn_grow(void **p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap && *p) return GRN_OK;
    size_t c = *cap < 16 ? 16 : *cap;
    while (c < need) {
        if (c > SIZE_MAX / 2)
            return grn_err(GRN_ENOMEM, "out of memory: %zu objects of %zu bytes", need, size);
        c *= 2;
    }
    void *q = grn_realloc(*p, c, size);
    if (!q) return GRN_ENOMEM;
    *p = q;
    *cap = c;
    return GRN_OK;
}

grn_status grn_room_aligned(void **p, size_t *cap, size_t bytes)
{
    size_t n;
    if (bytes <= *cap && *p) return GRN_OK;
    free(*p);
    *p = NULL;
    *cap = 0;
    if (bytes > SIZE_MAX - 64) return grn_err(GRN_ENOMEM, "out of memory: %zu bytes", bytes);
    if (!size_ok(bytes + 64, 1, &n)) return GRN_ENOMEM;
    *p = checked(aligned_alloc(64, n / 64 * 64), n);
    if (!*p) return GRN_ENOMEM;
    *cap = bytes;
    return GRN_OK;
}

void *grn_malloc_large(size_t n, size_t size)
{
    size_t bytes;
    void *p;
    if (!size_ok(n, size, &bytes)) return NULL;
    if (posix_memalign(&p, bytes < LARGE_PAGE ? 64 : LARGE_PAGE, bytes)) return checked(NULL, bytes);
    if (bytes >= LARGE_PAGE) (void)madvise(p, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE); /* advice only */
    return p;
}

void grn_mem_fail_after(int64_t n)
{
    fail_after = n;
}

uint64_t grn_mem_peak(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (uint64_t)u.ru_maxrss * 1024 : 0;
}
