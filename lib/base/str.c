#include "base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

grn_status grn_str_add(grn_str_t *b, const char *s, size_t n)
{
    if (GRN_GROW(b->s, b->cap, b->n + n + 1)) return GRN_ENOMEM;
    if (n) memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = 0;
    return GRN_OK;
}

grn_status grn_str_puts(grn_str_t *b, const char *s)
{
    return grn_str_add(b, s, strlen(s));
}

grn_status grn_str_printf(grn_str_t *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) return grn_err(GRN_EINVAL, "cannot format a string");
    if (GRN_GROW(b->s, b->cap, b->n + (size_t)n + 1)) return GRN_ENOMEM;
    va_start(ap, fmt);
    vsnprintf(b->s + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
    return GRN_OK;
}

void grn_str_clear(grn_str_t *b)
{
    free(b->s);
    memset(b, 0, sizeof *b);
}

grn_status grn_parse_i64(const char *s, int64_t *out)
{
    const char *p = s;
    int neg = *p == '-';
    uint64_t v = 0, limit = (uint64_t)INT64_MAX + (uint64_t)neg;
    if (*p == '-' || *p == '+') p++;
    if (!*p) return grn_err(GRN_EFORMAT, "'%s' is not an integer", s);
    for (; *p; p++) {
        if (*p < '0' || *p > '9') return grn_err(GRN_EFORMAT, "'%s' is not an integer", s);
        uint64_t d = (uint64_t)(*p - '0');
        if (v > (limit - d) / 10) return grn_err(GRN_EFORMAT, "'%s' is out of range", s);
        v = v * 10 + d;
    }
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return GRN_OK;
}

static locale_t c_locale(void)
{
    static locale_t loc;
    locale_t have = __atomic_load_n(&loc, __ATOMIC_ACQUIRE);
    if (!have) {
        have = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        locale_t none = 0;
        if (!__atomic_compare_exchange_n(&loc, &none, have, 0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            freelocale(have);
            have = none;
        }
    }
    return have;
}

/* digits, '.', exponent and sign only: strtod alone would take hex, spaces and "nan(...)" */
static int is_decimal(const char *s)
{
    const char *p = s;
    int digits = 0;
    if (*p == '-' || *p == '+') p++;
    for (; *p >= '0' && *p <= '9'; p++) digits++;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++) digits++;
    if (!digits) return 0;
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '-' || *p == '+') p++;
        if (*p < '0' || *p > '9') return 0;
        while (*p >= '0' && *p <= '9') p++;
    }
    return *p == 0;
}

grn_status grn_parse_f64(const char *s, double *out)
{
    if (!is_decimal(s)) return grn_err(GRN_EFORMAT, "'%s' is not a number", s);
    double v = strtod_l(s, NULL, c_locale());
    if (!isfinite(v)) return grn_err(GRN_EFORMAT, "'%s' is out of range", s);
    *out = v;
    return GRN_OK;
}

grn_status grn_parse_f64_any(const char *s, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {
        { "nan", NAN },      { "NaN", NAN },       { "NA", NAN },         { "inf", INFINITY },
        { "Inf", INFINITY }, { "+inf", INFINITY }, { "-inf", -INFINITY }, { "-Inf", -INFINITY },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i].word) == 0) {
            *out = words[i].value;
            return GRN_OK;
        }
    return grn_parse_f64(s, out);
}

grn_status grn_parse_size(const char *s, uint64_t *out)
{
    char num[32];
    size_t n = strlen(s);
    int shift = 0;
    if (n && n < sizeof num) {
        switch (s[n - 1]) {
        case 'k':
        case 'K': shift = 10; break;
        case 'm':
        case 'M': shift = 20; break;
        case 'g':
        case 'G': shift = 30; break;
        case 't':
        case 'T': shift = 40; break;
        default: break;
        }
        if (shift) n--;
        memcpy(num, s, n);
        num[n] = 0;
        int64_t v;
        if (grn_parse_i64(num, &v) == GRN_OK && v >= 0 && v <= INT64_MAX >> shift) {
            *out = (uint64_t)v << shift;
            return GRN_OK;
        }
    }
    return grn_err(GRN_EFORMAT, "'%s' is not a size (like 512M or 8G)", s);
}

/* printf and strtod in the C locale, whatever the program's locale is */
static char *shortest(char *buf, double x, int lo, int hi, int as_float)
{
    if (isnan(x)) return memcpy(buf, "nan", 4);
    if (isinf(x)) return x > 0 ? memcpy(buf, "inf", 4) : memcpy(buf, "-inf", 5);
    locale_t old = uselocale(c_locale());
    for (int p = lo; p <= hi; p++) {
        snprintf(buf, 32, "%.*g", p, x);
        if (as_float ? strtof(buf, NULL) == (float)x : strtod(buf, NULL) == x) break;
    }
    uselocale(old);
    return buf;
}

char *grn_fmt_f32(char *buf, float x)
{
    return shortest(buf, (double)x, 6, 9, 1);
}

char *grn_fmt_f64(char *buf, double x)
{
    return shortest(buf, x, 15, 17, 0);
}

size_t grn_split(char *line, char sep, char **field, size_t max)
{
    size_t n = 0;
    char *p = line;
    for (;;) {
        field[n++] = p;
        char *q = n < max ? strchr(p, sep) : NULL;
        if (!q) return n;
        *q = 0;
        p = q + 1;
    }
}

int grn_str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);
    return n >= k && memcmp(s + n - k, suffix, k) == 0;
}
