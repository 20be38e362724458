#include "base/version.h"

#include "version_gen.h"

const char *grn_version(void)
{
    return GRN_VERSION;
}

const char *grn_build_info(void)
{
    return GRN_VERSION_FULL ", " GRN_CC ", " GRN_CFLAGS;
}
