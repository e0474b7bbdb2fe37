#ifndef BANTAM_TESTS_C_API_TEST_H_
#define BANTAM_TESTS_C_API_TEST_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number of checks that failed; each is told on stderr. `plan` is that of chain_plan.h. */
int c_api_test(const void* plan, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
