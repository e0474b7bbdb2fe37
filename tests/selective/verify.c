/* verify PLAN: whether this library computes what the compiling one did, bit for bit in every op. */
#include <stdio.h>

#include "bantam/bantam.h"

int main(int argc, char** argv) {
  bantam_error error;
  bantam_model* model = NULL;
  bantam_session* session = NULL;
  bantam_verification result = {sizeof result};
  if (argc != 2) return 2;
  if (bantam_model_from_file(argv[1], &model, &error) != BANTAM_OK ||
      bantam_session_create(model, NULL, &session, &error) != BANTAM_OK ||
      bantam_session_verify(session, &result, &error) != BANTAM_OK) {
    printf("%s: %s\n", error.where, error.what);
  } else {
    printf("%d of %d ops differ\n", (int)result.ops_different, (int)result.ops_compared);
  }
  bantam_session_destroy(session);
  bantam_model_destroy(model);
  return result.matches == 1 ? 0 : 1;
}
