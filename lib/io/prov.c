#include "io/prov.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "base/version.h"

typedef struct {
    char *path;
    char *chain;     /* JSON or NULL */
    char digest[33]; /* "" = not taken yet */
} input_t;

static input_t *inputs;
static size_t n_inputs, cap_inputs;

grn_status grn_prov_input(const char *path, const char *chain_json)
{
    for (size_t i = 0; i < n_inputs; i++)
        if (strcmp(inputs[i].path, path) == 0) return GRN_OK;
    if (GRN_GROW(inputs, cap_inputs, n_inputs + 1)) return GRN_ENOMEM;
    input_t *x = &inputs[n_inputs];
    memset(x, 0, sizeof *x);
    x->path = strdup(path);
    x->chain = chain_json ? strdup(chain_json) : NULL;
    if (!x->path || (chain_json && !x->chain))
        return free(x->path), free(x->chain), grn_err(GRN_ENOMEM, "out of memory");
    n_inputs++;
    return GRN_OK;
}

void grn_prov_digest(const char *path, const char hex[33])
{
    for (size_t i = 0; i < n_inputs; i++)
        if (strcmp(inputs[i].path, path) == 0) memcpy(inputs[i].digest, hex, 33);
}

void grn_prov_drop(const char *path)
{
    size_t k = 0;
    for (size_t i = 0; i < n_inputs; i++) {
        if (strcmp(inputs[i].path, path) != 0) {
            inputs[k++] = inputs[i];
            continue;
        }
        free(inputs[i].path);
        free(inputs[i].chain);
    }
    n_inputs = k;
}

/* Length of the valid UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
    static const struct {
        unsigned char lo, hi, lo2, hi2;
        size_t n;
    } form[] = { { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
                 { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
                 { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
                 { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
                 { 0xf4, 0xf4, 0x80, 0x8f, 4 } };
    for (size_t k = 0; k < sizeof form / sizeof *form; k++) {
        if (s[0] < form[k].lo || s[0] > form[k].hi) continue;
        if (form[k].n > 1 && (s[1] < form[k].lo2 || s[1] > form[k].hi2)) return 0;
        for (size_t i = 2; i < form[k].n; i++)
            if (s[i] < 0x80 || s[i] > 0xbf) return 0;
        return form[k].n;
    }
    return 0;
}

grn_status grn_utf8(const char *s, char **out)
{
    size_t i = 0, k, n = strlen(s);
    if (GRN_NEW(*out, n + 1)) return GRN_ENOMEM;
    while (i < n) {
        if ((k = utf8_len((const unsigned char *)s + i))) {
            memcpy(*out + i, s + i, k);
            i += k;
        } else {
            (*out)[i++] = '?';
        }
    }
    return GRN_OK;
}

static int alphasort_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Digest of a folder (10x): that of the lines "DIGEST  NAME" of its files in name order, as
 * `xxh128sum * | xxh128sum` gives. */
static grn_status folder_digest(const char *path, char hex[33])
{
    grn_status rc = GRN_OK;
    struct dirent **file = NULL;
    int n = scandir(path, &file, NULL, alphasort_bytes);
    grn_str_t lines = { 0 }, name = { 0 };
    struct stat st;
    char one[33];
    if (n < 0) GRN_FAIL(GRN_EIO, "cannot read the folder '%s'", path);
    for (int i = 0; i < n; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s/%s", path, file[i]->d_name));
        if (file[i]->d_name[0] == '.' || stat(name.s, &st) || !S_ISREG(st.st_mode)) continue;
        GRN_TRY(grn_file_digest(name.s, one));
        GRN_TRY(grn_str_printf(&lines, "%s  %s\n", one, file[i]->d_name));
    }
    XXH128_hash_t h = XXH3_128bits(lines.s, lines.n);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
end:
    for (int i = 0; i < n; i++) free(file[i]);
    free(file);
    grn_str_clear(&lines);
    grn_str_clear(&name);
    return rc;
}

/* Pipes and files that are gone have no digest: "-". */
static void take_digest(input_t *x)
{
    struct stat st;
    int ok = 0;
    if (x->digest[0]) return;
    if (strcmp(x->path, "-") != 0 && stat(x->path, &st) == 0) {
        if (S_ISREG(st.st_mode)) ok = grn_file_digest(x->path, x->digest) == GRN_OK;
        if (S_ISDIR(st.st_mode)) ok = folder_digest(x->path, x->digest) == GRN_OK;
    }
    if (!ok) memcpy(x->digest, "-", 2);
}

static grn_status dump(const json_t *j, char **out)
{
    *out = j ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    return *out ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
}

static grn_status new_string(const char *s, json_t **j)
{
    char *u = NULL;
    grn_status rc = grn_utf8(s, &u);
    if (rc) return rc;
    *j = json_string(u);
    free(u);
    return *j ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
}

grn_status grn_prov_inputs_json(char **out)
{
    grn_status rc = GRN_OK;
    json_t *list = json_array(), *name;
    for (size_t i = 0; i < n_inputs; i++) {
        take_digest(&inputs[i]);
        GRN_TRY(new_string(grn_path_base(inputs[i].path), &name));
        json_t *x = json_pack("{s:o,s:s}", "name", name, "xxh3_128", inputs[i].digest);
        if (!x || json_array_append_new(list, x)) GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
    GRN_TRY(dump(list, out));
end:
    json_decref(list);
    return rc;
}

/* ---- the chain ---- */

static const char *str_of(const json_t *step, const char *key)
{
    const char *s = json_string_value(json_object_get(step, key));
    return s ? s : "";
}

static json_t *step_by_id(const json_t *chain, const char *id)
{
    size_t i;
    json_t *x;
    json_array_foreach(chain, i, x) if (strcmp(str_of(x, "id"), id) == 0) return x;
    return NULL;
}

/* "grn-build", or "grn-build.1" ... where that is taken. */
static void free_id(const json_t *chain, const char *pn, char *id, size_t cap)
{
    snprintf(id, cap, "%s", pn);
    for (int k = 1; step_by_id(chain, id); k++) snprintf(id, cap, "%.200s.%d", pn, k);
}

/* Adds a step to the chain, or finds the same one; *id_out borrowed from the chain. */
static grn_status add_step(json_t *chain, const char *pn, const char *vn, const char *cl,
                           const char *pp, const char **id_out)
{
    size_t i;
    json_t *x;
    char id[256];
    json_array_foreach(chain, i, x)
    {
        if (strcmp(str_of(x, "pn"), pn) == 0 && strcmp(str_of(x, "vn"), vn) == 0 &&
            strcmp(str_of(x, "cl"), cl) == 0 && strcmp(str_of(x, "pp"), pp) == 0)
            return *id_out = str_of(x, "id"), GRN_OK;
    }
    free_id(chain, pn, id, sizeof id);
    x = json_pack("{s:s,s:s,s:s,s:s}", "id", id, "pn", pn, "vn", vn, "cl", cl);
    if (x && *pp && json_object_set_new(x, "pp", json_string(pp))) json_decref(x), x = NULL;
    if (!x || json_array_append_new(chain, x)) return grn_err(GRN_ENOMEM, "out of memory");
    *id_out = str_of(x, "id");
    return GRN_OK;
}

/* Joins new names of a comma-separated list of previous ids. */
static grn_status map_previous(const json_t *map, const char *pp, grn_str_t *out)
{
    while (*pp) {
        size_t n = strcspn(pp, ",");
        char id[256];
        snprintf(id, sizeof id, "%.*s", (int)(n < 255 ? n : 255), pp);
        const char *to = str_of(map, id);
        if (*to && (grn_str_puts(out, out->n ? "," : "") || grn_str_puts(out, to)))
            return GRN_ENOMEM;
        pp += n + (pp[n] == ',');
    }
    return GRN_OK;
}

/* 1 if some step names `id` among its previous ones. */
static int is_previous(const json_t *chain, const char *id)
{
    size_t i, n = strlen(id);
    json_t *x;
    json_array_foreach(chain, i, x)
    {
        for (const char *pp = str_of(x, "pp"); *pp;) {
            size_t k = strcspn(pp, ",");
            if (k == n && memcmp(pp, id, n) == 0) return 1;
            pp += k + (pp[k] == ',');
        }
    }
    return 0;
}

/* Puts an input's chain into ours under free ids; appends the ids of its last steps to `tails`. */
static grn_status merge_chain(json_t *chain, const json_t *in, grn_str_t *tails)
{
    grn_status rc = GRN_OK;
    json_t *map = json_object(), *x;
    grn_str_t pp = { 0 };
    const char *id;
    size_t i;
    json_array_foreach(in, i, x)
    {
        grn_str_clear(&pp);
        GRN_TRY(grn_str_puts(&pp, ""));
        GRN_TRY(map_previous(map, str_of(x, "pp"), &pp));
        GRN_TRY(add_step(chain, str_of(x, "pn"), str_of(x, "vn"), str_of(x, "cl"), pp.s, &id));
        if (json_object_set_new(map, str_of(x, "id"), json_string(id)))
            GRN_FAIL(GRN_ENOMEM, "out of memory");
        if (is_previous(in, str_of(x, "id"))) continue;
        size_t n = strlen(id); /* a tail: once */
        for (const char *t = tails->s; t && (t = strstr(t, id)); t++)
            if ((t == tails->s || t[-1] == ',') && (t[n] == ',' || t[n] == 0)) n = 0;
        if (n) GRN_TRY(grn_str_puts(tails, tails->n ? "," : ""));
        if (n) GRN_TRY(grn_str_puts(tails, id));
    }
end:
    grn_str_clear(&pp);
    json_decref(map);
    return rc;
}

static grn_status chain_make(json_t **out)
{
    grn_status rc = GRN_OK;
    json_t *chain = json_array();
    grn_str_t tails = { 0 };
    char *command = NULL;
    const char *id;
    GRN_TRY(grn_str_puts(&tails, ""));
    for (size_t i = 0; i < n_inputs; i++) {
        json_t *in = inputs[i].chain ? json_loads(inputs[i].chain, 0, NULL) : NULL;
        if (in && json_is_array(in)) rc = merge_chain(chain, in, &tails);
        json_decref(in);
        GRN_TRY(rc);
    }
    GRN_TRY(grn_utf8(grn_tool_command(), &command));
    GRN_TRY(add_step(chain, grn_tool_name(), grn_version(), command, tails.s, &id));
end:
    grn_str_clear(&tails);
    free(command);
    if (rc) json_decref(chain);
    else *out = chain;
    return rc;
}

grn_status grn_prov_chain_json(char **out)
{
    json_t *chain = NULL;
    grn_status rc = chain_make(&chain);
    if (rc) return rc;
    rc = dump(chain, out);
    json_decref(chain);
    return rc;
}

grn_status grn_prov_text(grn_out_t *o)
{
    json_t *chain = NULL, *x;
    size_t i;
    if (grn_common.no_pg) return GRN_OK;
    grn_status rc = chain_make(&chain);
    if (rc) return rc;
    json_array_foreach(chain, i, x)
    {
        rc = grn_out_printf(o, "#PG\tID:%s\tPN:%s\tVN:%s\tCL:%s", str_of(x, "id"), str_of(x, "pn"),
                            str_of(x, "vn"), str_of(x, "cl"));
        if (!rc && *str_of(x, "pp")) rc = grn_out_printf(o, "\tPP:%s", str_of(x, "pp"));
        if (!rc) rc = grn_out_puts(o, "\n");
        if (rc) break;
    }
    json_decref(chain);
    return rc;
}
