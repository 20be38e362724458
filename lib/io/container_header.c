/* The safetensors header of a container: JSON out and in. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/container_priv.h"

void grn_header_clear(grn_header_t *h)
{
    for (size_t i = 0; i < h->n; i++) free(h->t[i].name);
    for (size_t i = 0; i < h->n_meta; i++) free(h->key[i]), free(h->value[i]);
    free(h->t);
    free(h->key);
    free(h->value);
    memset(h, 0, sizeof *h);
}

const char *grn_header_find_meta(const grn_header_t *h, const char *key)
{
    for (size_t i = 0; i < h->n_meta; i++)
        if (strcmp(h->key[i], key) == 0) return h->value[i];
    return NULL;
}

grn_status grn_header_meta(grn_header_t *h, const char *key, const char *value)
{
    if (grn_header_find_meta(h, key))
        return grn_err(GRN_EINVAL, "metadata '%s' is given twice", key);
    size_t cap = h->meta_cap;
    if (GRN_GROW(h->key, cap, h->n_meta + 1)) return GRN_ENOMEM;
    cap = h->meta_cap;
    if (GRN_GROW(h->value, cap, h->n_meta + 1)) return GRN_ENOMEM;
    h->meta_cap = cap;
    char *k = strdup(key), *v = strdup(value);
    if (!k || !v) return free(k), free(v), grn_err(GRN_ENOMEM, "out of memory");
    h->key[h->n_meta] = k;
    h->value[h->n_meta++] = v;
    return GRN_OK;
}

/* ---- out ---- */

static int by_layout(const void *a, const void *b)
{
    const grn_tensor_info_t *x = a, *y = b;
    size_t m = grn_dtype_size(x->dtype), n = grn_dtype_size(y->dtype);
    return m != n ? (m < n) - (m > n) : strcmp(x->name, y->name);
}

static grn_status add_json(grn_str_t *out, const json_t *j, const char *what)
{
    char *s = j ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    if (!s) return grn_err(GRN_EINVAL, "%s is not valid UTF-8", what);
    grn_status rc = grn_str_puts(out, s);
    free(s);
    return rc;
}

static grn_status add_meta(const grn_header_t *h, grn_str_t *out)
{
    grn_status rc = GRN_OK;
    json_t *m = json_object();
    if (!m) return grn_err(GRN_ENOMEM, "out of memory");
    for (size_t i = 0; i < h->n_meta; i++)
        if (json_object_set_new(m, h->key[i], json_string(h->value[i])))
            GRN_FAIL(GRN_EINVAL, "metadata '%s' is not valid UTF-8", h->key[i]);
    GRN_TRY(grn_str_puts(out, "{\"__metadata__\":"));
    GRN_TRY(add_json(out, m, "metadata"));
end:
    json_decref(m);
    return rc;
}

static grn_status add_tensor(const grn_tensor_info_t *t, grn_str_t *out)
{
    grn_status rc = GRN_OK;
    json_t *name = json_string(t->name);
    GRN_TRY(grn_str_puts(out, ","));
    GRN_TRY(add_json(out, name, "a tensor name"));
    GRN_TRY(grn_str_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", grn_dtype_name(t->dtype)));
    for (int i = 0; i < t->n_dim; i++)
        GRN_TRY(grn_str_printf(out, "%s%llu", i ? "," : "", (unsigned long long)t->shape[i]));
    GRN_TRY(grn_str_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)t->off,
                           (unsigned long long)(t->off + t->n_bytes)));
end:
    json_decref(name);
    return rc;
}

grn_status grn_header_build(grn_header_t *h, grn_str_t *out)
{
    grn_status rc = GRN_OK;
    uint64_t off = 0, json_n;
    if (h->n) qsort(h->t, h->n, sizeof *h->t, by_layout);
    GRN_TRY(grn_str_add(out, "\0\0\0\0\0\0\0\0", 8));
    GRN_TRY(add_meta(h, out));
    for (size_t i = 0; i < h->n; i++) {
        h->t[i].off = off;
        off += h->t[i].n_bytes;
        GRN_TRY(add_tensor(&h->t[i], out));
    }
    GRN_TRY(grn_str_puts(out, "}"));
    while (out->n % 8) GRN_TRY(grn_str_puts(out, " "));
    json_n = out->n - 8;
    if (json_n > GRN_CONTAINER_HEADER_MAX) GRN_FAIL(GRN_EINVAL, "the header is larger than 100 MB");
    memcpy(out->s, &json_n, 8);
end:
    return rc;
}

/* ---- in ---- */

static grn_status parse_dtype(const char *name, const char *s, grn_dtype *out)
{
    for (int t = GRN_U8; t <= GRN_BOOL; t++)
        if (strcmp(s, grn_dtype_name((grn_dtype)t)) == 0) return *out = (grn_dtype)t, GRN_OK;
    return grn_err(GRN_EUNSUP, "tensor '%s' has element type %s, which is not supported", name, s);
}

static int get_u64(const json_t *j, uint64_t *out)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0) return 0;
    *out = (uint64_t)json_integer_value(j);
    return 1;
}

static grn_status parse_tensor(const char *name, const json_t *j, grn_tensor_info_t *t)
{
    const json_t *dtype = json_object_get(j, "dtype"), *shape = json_object_get(j, "shape"),
                 *offs = json_object_get(j, "data_offsets");
    uint64_t begin, end, want;
    if (json_object_size(j) != 3 || !json_is_string(dtype) || !json_is_array(shape) ||
        json_array_size(offs) != 2 || !get_u64(json_array_get(offs, 0), &begin) ||
        !get_u64(json_array_get(offs, 1), &end) || begin > end)
        return grn_err(GRN_EFORMAT, "tensor '%s' is not described by dtype, shape and data_offsets",
                       name);
    if (json_array_size(shape) > GRN_MAX_DIM)
        return grn_err(GRN_EUNSUP, "tensor '%s' has %zu dimensions", name, json_array_size(shape));
    grn_status rc = parse_dtype(name, json_string_value(dtype), &t->dtype);
    if (rc) return rc;
    t->n_dim = (int)json_array_size(shape);
    for (int i = 0; i < t->n_dim; i++)
        if (!get_u64(json_array_get(shape, (size_t)i), &t->shape[i]))
            return grn_err(GRN_EFORMAT, "tensor '%s' has a bad shape", name);
    if ((rc = grn_shape_bytes(t->dtype, t->n_dim, t->shape, &want)))
        return grn_err_prefix(rc, "tensor '%s'", name);
    if (want != end - begin)
        return grn_err(GRN_EFORMAT, "tensor '%s' has %llu bytes, its shape %llu", name,
                       (unsigned long long)(end - begin), (unsigned long long)want);
    t->off = begin;
    t->n_bytes = want;
    return (t->name = strdup(name)) ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
}

static int by_offset(const void *a, const void *b)
{
    const grn_tensor_info_t *x = a, *y = b;
    if (x->off != y->off) return x->off < y->off ? -1 : 1;
    if (x->n_bytes != y->n_bytes) return x->n_bytes < y->n_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

static grn_status check_tiling(grn_header_t *h, uint64_t data_n)
{
    uint64_t at = 0;
    if (h->n) qsort(h->t, h->n, sizeof *h->t, by_offset);
    for (size_t i = 0; i < h->n; i++) {
        if (h->t[i].off != at)
            return grn_err(GRN_EFORMAT, "tensor '%s' leaves a gap or overlaps", h->t[i].name);
        at += h->t[i].n_bytes;
    }
    if (at != data_n)
        return grn_err(GRN_EFORMAT, "tensors take %llu bytes, the data has %llu",
                       (unsigned long long)at, (unsigned long long)data_n);
    return GRN_OK;
}

static grn_status parse_meta(grn_header_t *h, json_t *meta)
{
    const char *key;
    json_t *value;
    if (!json_is_object(meta)) return grn_err(GRN_EFORMAT, "__metadata__ is not an object");
    json_object_foreach(meta, key, value)
    {
        if (!json_is_string(value))
            return grn_err(GRN_EFORMAT, "metadata '%s' is not a string", key);
        grn_status rc = grn_header_meta(h, key, json_string_value(value));
        if (rc) return rc;
    }
    return GRN_OK;
}

grn_status grn_header_parse(grn_header_t *h, const char *json, size_t n, uint64_t data_n)
{
    grn_status rc = GRN_OK;
    json_error_t e;
    json_t *root = NULL, *value;
    const char *key;
    if (n == 0 || json[0] != '{') GRN_FAIL(GRN_EFORMAT, "the header is not JSON");
    root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &e);
    if (!root) GRN_FAIL(GRN_EFORMAT, "the header is not valid JSON: %s", e.text);
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "__metadata__") == 0) {
            GRN_TRY(parse_meta(h, value));
            continue;
        }
        GRN_TRY(GRN_GROW(h->t, h->cap, h->n + 1));
        memset(&h->t[h->n], 0, sizeof *h->t);
        GRN_TRY(parse_tensor(key, value, &h->t[h->n]));
        h->n++;
    }
    GRN_TRY(check_tiling(h, data_n));
end:
    json_decref(root);
    if (rc) grn_header_clear(h);
    return rc;
}
