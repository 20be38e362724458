#include "model/config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const GRN_WORD[] = { "none", "random", "type", "cell", "hybrid" };
static const char *const PERTURB_WORD[] = { "none", "random", "coexpr", "list" };
static const char *const DIR_WORD[] = { "both", "in", "out" };

void grn_model_config_init(grn_model_config_t *c)
{
    *c = (grn_model_config_t){ .dim = 64,
                               .layers = 3,
                               .heads = 4,
                               .ffn = 64,
                               .tokens = 128,
                               .bins = 51,
                               .zeros = 0.25,
                               .mask = 0,
                               .dropout = 0,
                               .grn = GRN_GRN_HYBRID,
                               .perturb = GRN_PERTURB_COEXPR,
                               .alpha = 0.2,
                               .beta = 1,
                               .fanout = 10,
                               .direction = GRN_DIR_BOTH,
                               .ln_kv = 1,
                               .seed = 1 };
}

grn_status grn_model_config_check(const grn_model_config_t *c)
{
    if (c->dim < 1 || c->heads < 1 || c->dim % c->heads != 0)
        return grn_err(GRN_EINVAL, "the width (%lld) is not a multiple of the heads (%lld)", (long long)c->dim,
                       (long long)c->heads);
    if (c->layers < 2) return grn_err(GRN_EINVAL, "a model has at least 2 layers, not %lld", (long long)c->layers);
    if (c->ffn < 1) return grn_err(GRN_EINVAL, "the feed-forward width is %lld", (long long)c->ffn);
    if (c->tokens < 3) return grn_err(GRN_EINVAL, "a sequence has at least 3 tokens, not %lld", (long long)c->tokens);
    if (c->bins < 3 || c->bins > 4096)
        return grn_err(GRN_EINVAL, "the number of bins is 3 to 4096, not %lld", (long long)c->bins);
    if (!(c->zeros >= 0 && c->zeros <= 0.9))
        return grn_err(GRN_EINVAL, "the share of zero tokens is 0 to 0.9, not %g", c->zeros);
    if (!(c->mask >= 0 && c->mask < 1)) return grn_err(GRN_EINVAL, "the mask ratio is below 1, not %g", c->mask);
    if (!(c->dropout >= 0 && c->dropout < 1)) return grn_err(GRN_EINVAL, "the dropout is below 1, not %g", c->dropout);
    if (!(c->alpha >= 0 && c->alpha <= 1)) return grn_err(GRN_EINVAL, "alpha is 0 to 1, not %g", c->alpha);
    if (c->fanout < 0) return grn_err(GRN_EINVAL, "the fan-out is %lld", (long long)c->fanout);
    return GRN_OK;
}

const char *grn_grn_name(grn_grn_kind k)
{
    return GRN_WORD[k];
}

const char *grn_perturb_name(grn_perturb_kind k)
{
    return PERTURB_WORD[k];
}

/* Position of a word in a list, -1 if it is not there. */
static int find_word(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; word && i < n; i++) {
        if (strcmp(word, list[i]) == 0) return (int)i;
    }
    return -1;
}

grn_status grn_grn_parse(const char *word, grn_grn_kind *k)
{
    int i = find_word(word, GRN_WORD, 5);
    if (i < 0) return grn_err(GRN_EINVAL, "'%s' is not none, random, type, cell or hybrid", word ? word : "");
    *k = (grn_grn_kind)i;
    return GRN_OK;
}

grn_status grn_perturb_parse(const char *word, grn_perturb_kind *k)
{
    int i = find_word(word, PERTURB_WORD, 4);
    if (i < 0) return grn_err(GRN_EINVAL, "'%s' is not none, random, coexpr or list", word ? word : "");
    *k = (grn_perturb_kind)i;
    return GRN_OK;
}

/* One row per number in the JSON. */
#define CONFIG_NUMBERS(X, c)                                                                                               \
    X("dim", (c)->dim)                                                                                                     \
    X("layers", (c)->layers) X("heads", (c)->heads) X("ffn", (c)->ffn) X("tokens", (c)->tokens) X("bins", (c)->bins)       \
        X("fanout", (c)->fanout)
#define CONFIG_REALS(X, c)                                                                                                 \
    X("zeros", (c)->zeros) X("mask", (c)->mask) X("dropout", (c)->dropout) X("alpha", (c)->alpha) X("beta", (c)->beta)

grn_status grn_model_config_json(const grn_model_config_t *c, char **out)
{
    json_t *o = json_object();
    char seed[24];
    int bad = 0;
    *out = NULL;
#define PUT_INT(name, value) bad |= json_object_set_new(o, name, json_integer((json_int_t)(value)));
#define PUT_REAL(name, value) bad |= json_object_set_new(o, name, json_real(value));
    CONFIG_NUMBERS(PUT_INT, c)
    CONFIG_REALS(PUT_REAL, c)
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->seed);
    bad |= json_object_set_new(o, "seed", json_string(seed));
    bad |= json_object_set_new(o, "grn", json_string(GRN_WORD[c->grn]));
    bad |= json_object_set_new(o, "perturb", json_string(PERTURB_WORD[c->perturb]));
    bad |= json_object_set_new(o, "direction", json_string(DIR_WORD[c->direction]));
    bad |= json_object_set_new(o, "ln_kv", json_boolean(c->ln_kv));
    bad |= json_object_set_new(o, "backbone", json_string("scgpt"));
    bad |= json_object_set_new(o, "objective", json_string("masked-mse"));
    if (!bad) *out = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    return *out ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory writing the model's config");
}

static grn_status need_key(const json_t *o, const char *key, json_t **v)
{
    *v = json_object_get(o, key);
    return *v ? GRN_OK : grn_err(GRN_EFORMAT, "the model's config has no '%s'", key);
}

static grn_status get_int(const json_t *o, const char *key, int64_t *out)
{
    json_t *v;
    grn_status rc = need_key(o, key, &v);
    if (rc == GRN_OK && !json_is_integer(v)) rc = grn_err(GRN_EFORMAT, "'%s' of the model's config is not an integer", key);
    if (rc == GRN_OK) *out = json_integer_value(v);
    return rc;
}

static grn_status get_real(const json_t *o, const char *key, double *out)
{
    json_t *v;
    grn_status rc = need_key(o, key, &v);
    if (rc == GRN_OK && !json_is_number(v)) rc = grn_err(GRN_EFORMAT, "'%s' of the model's config is not a number", key);
    if (rc == GRN_OK) *out = json_number_value(v);
    return rc;
}

static grn_status get_words(const json_t *o, grn_model_config_t *c)
{
    grn_status rc = GRN_OK;
    json_t *v;
    int i;
    GRN_TRY(need_key(o, "grn", &v));
    GRN_TRY(grn_grn_parse(json_string_value(v), &c->grn));
    GRN_TRY(need_key(o, "perturb", &v));
    GRN_TRY(grn_perturb_parse(json_string_value(v), &c->perturb));
    GRN_TRY(need_key(o, "direction", &v));
    i = find_word(json_string_value(v), DIR_WORD, 3);
    if (i < 0) GRN_FAIL(GRN_EFORMAT, "the model's config has an unknown direction");
    c->direction = (grn_dir)i;
    GRN_TRY(need_key(o, "ln_kv", &v));
    c->ln_kv = json_is_true(v);
    GRN_TRY(need_key(o, "seed", &v));
    c->seed = json_string_value(v) ? strtoull(json_string_value(v), NULL, 10) : 0;
end:
    return rc;
}

grn_status grn_model_config_parse(grn_model_config_t *c, const char *json)
{
    grn_status rc = GRN_OK;
    json_error_t err;
    json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, &err);
    if (!json_is_object(o))
        GRN_FAIL(GRN_EFORMAT, "the model's config is not a JSON object: %s", o ? "another type" : err.text);
#define GET_INT(name, value) GRN_TRY(get_int(o, name, &(value)));
#define GET_REAL(name, value) GRN_TRY(get_real(o, name, &(value)));
    CONFIG_NUMBERS(GET_INT, c)
    CONFIG_REALS(GET_REAL, c)
    GRN_TRY(get_words(o, c));
    GRN_TRY(grn_model_config_check(c));
end:
    json_decref(o);
    return rc;
}
