/* Version of the tools, of the libraries they run with, and the licence lines. */
#ifndef GRN_BASE_VERSION_H
#define GRN_BASE_VERSION_H

/* "0.1.0" or "0.1.0-12-gabc1234" (git describe at build time). */
const char *grn_version(void);
/* Compiler and flags of this build. */
const char *grn_build_info(void);

#endif
