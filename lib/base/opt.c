#include "base/opt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cblas.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/version.h"

grn_common_t grn_common = { .seed = 1, .device = "auto", .verbosity = 3, .progress = "auto" };

static const grn_opt_t common_table[] = {
    GRN_OPT_HEAD("Common"),
    GRN_OPT_INT('@', "threads", "INT", &grn_common.threads, 1, 4096, "worker threads in total"),
    GRN_OPT_U64(0, "seed", "INT", &grn_common.seed, "seed of all random numbers"),
    GRN_OPT_STR(0, "device", "auto|cpu|cuda[:N]", &grn_common.device, "where tensors are computed"),
    GRN_OPT_SIZE(0, "max-mem", "SIZE", &grn_common.max_mem, "memory to aim at, 0 = no limit"),
    GRN_OPT_INT('v', "verbosity", "INT", &grn_common.verbosity, 0, 4,
                "0 none, 1 errors, 2 warnings, 3 info, 4 debug"),
    GRN_OPT_FLAG('q', "quiet", &grn_common.quiet, "errors only"),
    GRN_OPT_ENUM(0, "progress", "auto|always|never", &grn_common.progress,
                 "progress bar on stderr"),
    GRN_OPT_STR(0, "log-json", "FILE", &grn_common.log_json, "append messages as JSON lines"),
    GRN_OPT_FLAG(0, "no-pg", &grn_common.no_pg, "leave command line and history out of outputs"),
    GRN_OPT_END,
};

static char *command_line;
static const char *tool_name = "grn";
static const char *const *unrecorded; /* of the tool */

const char *grn_tool_command(void)
{
    return command_line ? command_line : "";
}

void grn_tool_unrecorded(const char *const *names)
{
    unrecorded = names;
}

const char *grn_tool_name(void)
{
    return tool_name;
}

/* ---- help ---- */

static void print_default(FILE *f, const grn_opt_t *o)
{
    char num[32];
    switch (o->type) {
    case GRN_OPT_T_INT: fprintf(f, " [%lld]", (long long)*(int64_t *)o->ptr); break;
    case GRN_OPT_T_U64:
    case GRN_OPT_T_SIZE: fprintf(f, " [%llu]", (unsigned long long)*(uint64_t *)o->ptr); break;
    case GRN_OPT_T_FLT: fprintf(f, " [%s]", grn_fmt_f64(num, *(double *)o->ptr)); break;
    case GRN_OPT_T_STR:
    case GRN_OPT_T_ENUM:
        if (*(const char **)o->ptr) fprintf(f, " [%s]", *(const char **)o->ptr);
        break;
    case GRN_OPT_T_FLAG:
        if (*(int *)o->ptr) fputs(" [on]", f);
        break;
    default: break;
    }
}

static void print_table(FILE *f, const grn_opt_t *t)
{
    for (; t->type != GRN_OPT_T_END; t++) {
        char left[128];
        if (t->type == GRN_OPT_T_HEAD) {
            fprintf(f, "%s:\n", t->long_name);
            continue;
        }
        char letter[8] = "    ";
        if (t->short_name) snprintf(letter, sizeof letter, "-%c, ", t->short_name);
        snprintf(left, sizeof left, "  %s--%s%s%s", letter, t->long_name, t->metavar ? " " : "",
                 t->metavar ? t->metavar : "");
        fprintf(f, strlen(left) < 34 ? "%-34s %s" : "%s\n%35s%s", left,
                strlen(left) < 34 ? t->help : "", t->help);
        print_default(f, t);
        fputc('\n', f);
    }
}

static void print_help(FILE *f, const grn_tool_t *tool)
{
    fprintf(f, "Usage: %s %s\n%s\n\n", tool->name, tool->usage, tool->brief);
    print_table(f, tool->opt);
    print_table(f, common_table);
    fputs("  -h, --help                       this text\n      --version                    "
          "versions and licences\n",
          f);
    if (tool->examples) fprintf(f, "\nExamples:\n%s", tool->examples);
}

static void print_version(FILE *f)
{
    fprintf(f, "%s %s\nBuild: %s\n", tool_name, grn_version(), grn_build_info());
    fputs("Libraries: HTSlib, HDF5, OpenBLAS, GSL, zstd, jansson, xxHash, zlib, Random123\n"
          "Sources: MIT. Binaries link GSL and are therefore distributed under GPL-3-or-later.\n",
          f);
}

/* ---- parsing ---- */

static int is_switch(const grn_opt_t *o)
{
    return o->type == GRN_OPT_T_FLAG;
}

static const grn_opt_t *find_short(const grn_opt_t *const tables[2], char c)
{
    for (int k = 0; k < 2; k++)
        for (const grn_opt_t *t = tables[k]; t->type != GRN_OPT_T_END; t++)
            if (t->type != GRN_OPT_T_HEAD && t->short_name == c && c) return t;
    return NULL;
}

/* Exact name or unique prefix. *n_match = number of candidates. */
static const grn_opt_t *find_long(const grn_opt_t *const tables[2], const char *name, size_t len,
                                  int *n_match)
{
    const grn_opt_t *hit = NULL;
    *n_match = 0;
    for (int k = 0; k < 2; k++)
        for (const grn_opt_t *t = tables[k]; t->type != GRN_OPT_T_END; t++) {
            if (t->type == GRN_OPT_T_HEAD || strncmp(t->long_name, name, len) != 0) continue;
            if (!t->long_name[len]) {
                *n_match = 1;
                return t;
            }
            hit = t;
            ++*n_match;
        }
    return *n_match == 1 ? hit : NULL;
}

/* 1 if `word` is one of "a|b|c". */
static int in_words(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; p; p = strchr(p, '|')) {
        if (*p == '|') p++;
        if (strncmp(p, word, n) == 0 && (p[n] == 0 || p[n] == '|')) return n > 0;
        if (!strchr(p, '|')) break;
    }
    return 0;
}

static grn_status usage_error(const grn_opt_t *o, const char *value)
{
    return grn_err(GRN_EUSAGE, "--%s: %s (got '%s')", o->long_name, grn_err_msg(), value);
}

static grn_status set_int(const grn_opt_t *o, const char *value)
{
    int64_t v;
    if (grn_parse_i64(value, &v)) return usage_error(o, value);
    if ((double)v < o->lo || (double)v > o->hi)
        return grn_err(GRN_EUSAGE, "--%s must be %.15g to %.15g (got '%s')", o->long_name, o->lo,
                       o->hi, value);
    *(int64_t *)o->ptr = v;
    return GRN_OK;
}

static grn_status set_flt(const grn_opt_t *o, const char *value)
{
    double v;
    if (grn_parse_f64(value, &v)) return usage_error(o, value);
    if (v < o->lo || v > o->hi)
        return grn_err(GRN_EUSAGE, "--%s must be %.15g to %.15g (got '%s')", o->long_name, o->lo,
                       o->hi, value);
    *(double *)o->ptr = v;
    return GRN_OK;
}

static grn_status set_option(const grn_opt_t *o, const char *value)
{
    int64_t v;
    switch (o->type) {
    case GRN_OPT_T_INT: return set_int(o, value);
    case GRN_OPT_T_FLT: return set_flt(o, value);
    case GRN_OPT_T_U64:
        if (grn_parse_i64(value, &v)) return usage_error(o, value);
        if (v < 0)
            return grn_err(GRN_EUSAGE, "--%s must not be negative (got '%s')", o->long_name, value);
        *(uint64_t *)o->ptr = (uint64_t)v;
        return GRN_OK;
    case GRN_OPT_T_SIZE: return grn_parse_size(value, o->ptr) ? usage_error(o, value) : GRN_OK;
    case GRN_OPT_T_ENUM:
        if (!in_words(o->metavar, value))
            return grn_err(GRN_EUSAGE, "--%s must be one of %s (got '%s')", o->long_name,
                           o->metavar, value);
        *(const char **)o->ptr = value;
        return GRN_OK;
    case GRN_OPT_T_STR: *(const char **)o->ptr = value; return GRN_OK;
    case GRN_OPT_T_LIST: {
        grn_opt_list_t *l = o->ptr;
        if (GRN_GROW(l->v, l->cap, l->n + 1)) return GRN_ENOMEM;
        l->v[l->n++] = value;
        return GRN_OK;
    }
    default: return GRN_OK;
    }
}

typedef enum { PASS_PRESETS, PASS_REST } parse_pass;

static grn_status apply(const grn_opt_t *o, const char *value, parse_pass pass)
{
    if ((o->type == GRN_OPT_T_PRESET) != (pass == PASS_PRESETS)) return GRN_OK;
    if (o->type == GRN_OPT_T_PRESET) {
        if (!in_words(o->metavar, value))
            return grn_err(GRN_EUSAGE, "--%s must be one of %s (got '%s')", o->long_name,
                           o->metavar, value);
        grn_status (*fn)(const char *) = (grn_status (*)(const char *))o->ptr;
        return fn(value);
    }
    if (is_switch(o)) {
        *(int *)o->ptr = value == NULL;
        return GRN_OK;
    }
    return set_option(o, value);
}

static grn_status parse_long(const grn_opt_t *const tables[2], char **argv, int argc, int *i,
                             parse_pass pass)
{
    const char *name = argv[*i] + 2, *eq = strchr(name, '=');
    size_t len = eq ? (size_t)(eq - name) : strlen(name);
    int n_match;
    const grn_opt_t *o = find_long(tables, name, len, &n_match);
    if (!o && strncmp(name, "no-", 3) == 0) { /* --no-NAME of a switch */
        o = find_long(tables, name + 3, len - 3, &n_match);
        if (o && is_switch(o) && !eq) return apply(o, "off", pass);
        o = NULL;
    }
    if (!o)
        return grn_err(GRN_EUSAGE,
                       n_match > 1 ? "option '%s' is ambiguous" : "unknown option '%s'; see --help",
                       argv[*i]);
    if (is_switch(o))
        return eq ? grn_err(GRN_EUSAGE, "--%s takes no value", o->long_name) : apply(o, NULL, pass);
    if (eq) return apply(o, eq + 1, pass);
    if (*i + 1 >= argc)
        return grn_err(GRN_EUSAGE, "--%s needs a value (%s)", o->long_name, o->metavar);
    return apply(o, argv[++*i], pass);
}

static grn_status parse_short(const grn_opt_t *const tables[2], char **argv, int argc, int *i,
                              parse_pass pass)
{
    for (const char *p = argv[*i] + 1; *p; p++) {
        const grn_opt_t *o = find_short(tables, *p);
        grn_status rc;
        if (!o) return grn_err(GRN_EUSAGE, "unknown option '-%c'; see --help", *p);
        if (is_switch(o)) {
            if ((rc = apply(o, NULL, pass))) return rc;
            continue;
        }
        if (p[1]) return apply(o, p + 1, pass);
        if (*i + 1 >= argc) return grn_err(GRN_EUSAGE, "-%c needs a value (%s)", *p, o->metavar);
        return apply(o, argv[++*i], pass);
    }
    return GRN_OK;
}

static grn_status parse(const grn_tool_t *tool, int argc, char **argv, grn_args_t *args,
                        parse_pass pass)
{
    const grn_opt_t *const tables[2] = { tool->opt, common_table };
    int only_operands = 0;
    args->n = 0;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        grn_status rc = GRN_OK;
        if (only_operands || a[0] != '-' || !a[1]) args->v[args->n++] = argv[i];
        else if (strcmp(a, "--") == 0) only_operands = 1;
        else if (a[1] == '-') rc = parse_long(tables, argv, argc, &i, pass);
        else rc = parse_short(tables, argv, argc, &i, pass);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* ---- life of a tool ---- */

static int is_plain(const char *s)
{
    return *s &&
           s[strspn(s,
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%")] ==
               0;
}

/* Tokens that the argument a[i] takes (1, or 2 with its value); *o: the option it is, NULL for operands and for several letters
 * in one. */
static int arg_width(const grn_opt_t *const tables[2], int argc, char **a, int i, const grn_opt_t **o)
{
    const char *name = a[i] + 2, *eq = strchr(a[i], '=');
    int n_match, has_next = i + 1 < argc;
    *o = NULL;
    if (a[i][0] != '-' || !a[i][1]) return 1;
    if (a[i][1] == '-') {
        *o = find_long(tables, name, eq ? (size_t)(eq - name) : strlen(name), &n_match);
        return *o && !is_switch(*o) && !eq && has_next ? 2 : 1;
    }
    for (const char *p = a[i] + 1; *p; p++) {
        const grn_opt_t *x = find_short(tables, *p);
        if (x && p == a[i] + 1 && (!p[1] || !is_switch(x))) *o = x;
        if (!x || !is_switch(x)) return x && !p[1] && has_next ? 2 : 1;
    }
    return 1;
}

/* Options that say how fast, how loud or in how many pieces, not what: they must not show in outputs. */
static int is_unrecorded(const grn_opt_t *o)
{
    static const char *const manner[] = { "threads", "verbosity", "quiet", "progress", "log-json", NULL };
    for (int k = 0; o && k < 2; k++)
        for (const char *const *n = k ? unrecorded : manner; n && *n; n++)
            if (strcmp(o->long_name, *n) == 0) return 1;
    return 0;
}

static grn_status put_word(grn_str_t *s, const char *word)
{
    grn_status rc = grn_str_puts(s, s->n ? " " : "");
    if (rc || is_plain(word)) return rc ? rc : grn_str_puts(s, word);
    rc = grn_str_puts(s, "'");
    for (const char *p = word; *p && !rc; p++) rc = *p == '\'' ? grn_str_puts(s, "'\\''") : grn_str_add(s, p, 1);
    return rc ? rc : grn_str_puts(s, "'");
}

/* argv[0] and `sub`, the subcommand or NULL, then argv[1 ...]. */
static void keep_command(const grn_tool_t *tool, const char *sub, int argc, char **argv)
{
    const grn_opt_t *const tables[2] = { tool->opt, common_table };
    const grn_opt_t *o;
    grn_str_t s = { 0 };
    grn_status rc = put_word(&s, grn_path_base(argv[0]));
    if (sub && !rc) rc = put_word(&s, sub);
    for (int i = sub ? 2 : 1, end = 0, width; i < argc && !rc; i += width) {
        width = end ? 1 : arg_width(tables, argc, argv, i, &o);
        if (strcmp(argv[i], "--") == 0) end = 1;
        if (!end && is_unrecorded(o)) continue;
        for (int k = 0; k < width && !rc; k++) rc = put_word(&s, argv[i + k]);
    }
    command_line = s.s;
}

/* OpenBLAS asks this function of its own how many threads to start as it is loaded; ours is found first. They would never be used, and
 * spin for 0.1 s. Weak, for a static OpenBLAS brings its own. */
int openblas_num_threads_env(void);
__attribute__((weak)) int openblas_num_threads_env(void)
{
    return 1;
}

static grn_status start(void)
{
    static const struct {
        const char *word;
        grn_progress_mode mode;
    } modes[] = { { "auto", GRN_PROGRESS_AUTO },
                  { "always", GRN_PROGRESS_ALWAYS },
                  { "never", GRN_PROGRESS_NEVER } };
    for (size_t i = 0; i < 3; i++)
        if (strcmp(grn_common.progress, modes[i].word) == 0) grn_progress_mode_set(modes[i].mode);
    if (grn_common.quiet) grn_common.verbosity = 1;
    grn_log_init(grn_log_program(), (int)grn_common.verbosity);
    if (grn_common.log_json && grn_log_json_open(grn_common.log_json)) return GRN_EIO;
    if (strcmp(grn_common.device, "auto") != 0 && strcmp(grn_common.device, "cpu") != 0 &&
        strncmp(grn_common.device, "cuda", 4) != 0)
        return grn_err(GRN_EUSAGE, "--device must be auto, cpu or cuda[:N] (got '%s')",
                       grn_common.device);
    openblas_set_num_threads(1); /* its threaded results differ in bits; ours may not */
    return grn_par_create(&grn_common.pool, (int)grn_common.threads);
}

static int finish(grn_status rc, grn_args_t *args)
{
    int status = grn_err_exit(rc);
    grn_progress_end();
    if (rc) grn_log_error("%s", grn_err_msg());
    else if (grn_common.pool) grn_log_finish(); /* not after --help */
    grn_par_destroy(grn_common.pool);
    grn_common.pool = NULL;
    if ((fflush(stdout) || ferror(stdout) || close(STDOUT_FILENO)) && !status) {
        grn_log_error("cannot write standard output");
        status = 1;
    }
    if (grn_log_json_close() && !status) status = 1;
    free(args->v);
    free(command_line);
    command_line = NULL;
    return status;
}

static int wants(int argc, char **argv, const char *name, const char *letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], name) == 0 || (letter && strcmp(argv[i], letter) == 0)) return 1;
    return 0;
}

static grn_status check_operands(const grn_tool_t *tool, const grn_args_t *args)
{
    if (args->n < tool->min_args)
        return grn_err(GRN_EUSAGE, "%d operand%s, need %s%d; usage: %s %s", args->n,
                       args->n == 1 ? "" : "s", tool->min_args == tool->max_args ? "" : "at least ",
                       tool->min_args, tool->name, tool->usage);
    if (tool->max_args >= 0 && args->n > tool->max_args)
        return grn_err(GRN_EUSAGE, "unexpected operand '%s'; usage: %s %s", args->v[tool->max_args],
                       tool->name, tool->usage);
    return GRN_OK;
}

static int run_tool(const grn_tool_t *tool, int argc, char **argv,
                    grn_status (*run)(const grn_args_t *args))
{
    grn_args_t args = { 0, NULL };
    grn_status rc;
    grn_log_init(tool->name, 3);
    grn_common.threads = grn_par_cpus();
    if (argc == 1 && tool->min_args > 0) {
        print_help(stderr, tool);
        return 2;
    }
    if (wants(argc, argv, "--help", "-h") || wants(argc, argv, "--version", NULL)) {
        if (wants(argc, argv, "--help", "-h")) print_help(stdout, tool);
        else print_version(stdout);
        return finish(GRN_OK, &args);
    }
    grn_file_init();
    GRN_TRY(GRN_NEW(args.v, (size_t)argc + 1));
    GRN_TRY(parse(tool, argc, argv, &args, PASS_PRESETS));
    GRN_TRY(parse(tool, argc, argv, &args, PASS_REST));
    GRN_TRY(check_operands(tool, &args));
    GRN_TRY(start());
    GRN_TRY(run(&args));
end:
    return finish(rc, &args);
}

int grn_tool_main(const grn_tool_t *tool, int argc, char **argv,
                  grn_status (*run)(const grn_args_t *args))
{
    tool_name = tool->name;
    keep_command(tool, NULL, argc, argv);
    return run_tool(tool, argc, argv, run);
}

static void print_subtools(FILE *f, const char *name, const char *brief, const grn_subtool_t *sub,
                           size_t n_sub)
{
    fprintf(f, "Usage: %s COMMAND [options]\n%s\n\nCommands:\n", name, brief);
    for (size_t i = 0; i < n_sub; i++)
        fprintf(f, "  %-12s %s\n", strrchr(sub[i].tool.name, ' ') + 1, sub[i].tool.brief);
    fprintf(f, "\nMore: %s COMMAND --help, man %s\n", name, name);
}

int grn_tool_main_sub(const char *name, const char *brief, const grn_subtool_t *sub, size_t n_sub,
                      int argc, char **argv)
{
    grn_args_t none = { 0, NULL };
    char *help[] = { argv[0], (char *)"--help", NULL };
    tool_name = name;
    grn_log_init(name, 3);
    if (argc < 2) {
        print_subtools(stderr, name, brief, sub, n_sub);
        return 2;
    }
    const char *word = argv[1];
    int is_help = strcmp(word, "help") == 0;
    if (is_help && argc > 2) word = argv[2];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 ||
        strcmp(word, "help") == 0) {
        if (strcmp(word, "--version") == 0) print_version(stdout);
        else print_subtools(stdout, name, brief, sub, n_sub);
        return finish(GRN_OK, &none);
    }
    for (size_t i = 0; i < n_sub; i++) {
        if (strcmp(strrchr(sub[i].tool.name, ' ') + 1, word) != 0) continue;
        if (is_help) return run_tool(&sub[i].tool, 2, help, sub[i].run);
        keep_command(&sub[i].tool, word, argc, argv);
        return run_tool(&sub[i].tool, argc - 1, argv + 1, sub[i].run);
    }
    return finish(grn_err(GRN_EUSAGE, "unknown command '%s'; see %s --help", word, name), &none);
}
