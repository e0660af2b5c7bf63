/* SPDX-License-Identifier: Apache-2.0
 * phial.h from C99: that it compiles there, that NULL is answered, and one way through all of it.
 * usage: plain_c_test FOLDER      FOLDER: an empty folder for files
 */
#include <phial/phial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

static void must(phial_error* error) {
  if (!error) return;
  fprintf(stderr, "unexpected: %s\n", phial_error_message(error));
  phial_error_free(error);
  exit(1);
}

static void expect(phial_error* error, phial_code code) {
  if (phial_error_code(error) != code) {
    fprintf(stderr, "expected code %d, found %d: %s\n", (int)code, (int)phial_error_code(error),
            phial_error_message(error));
    ++failures;
  }
  phial_error_free(error);
}

static const char* kConfig =
    "{\"architectures\": [\"Phi3ForCausalLM\"], \"model_type\": \"phi3\", \"vocab_size\": 96, "
    "\"hidden_size\": 64,"
    " \"intermediate_size\": 128, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "
    "\"num_key_value_heads\": 2,"
    " \"max_position_embeddings\": 128, \"original_max_position_embeddings\": 128, "
    "\"rms_norm_eps\": 1e-5,"
    " \"rope_theta\": 10000.0, \"hidden_act\": \"silu\", \"tie_word_embeddings\": false, "
    "\"eos_token_id\": 2}";

static void test_null(void) {
  phial_model* model = NULL;
  phial_result* result = NULL;
  phial_tokenizer* tokenizer = NULL;
  char* text = NULL;
  phial_free(NULL);
  phial_error_free(NULL);
  phial_tokenizer_close(NULL);
  phial_model_close(NULL);
  phial_result_free(NULL);
  phial_chat_free(NULL);
  phial_session_free(NULL);
  phial_cancel(NULL);
  CHECK(phial_error_code(NULL) == PHIAL_OK);
  CHECK(strcmp(phial_error_message(NULL), "") == 0);
  CHECK(phial_model_tokenizer(NULL) == NULL);
  CHECK(phial_tokenizer_vocab_size(NULL) == 0);
  expect(phial_model_open(NULL, NULL, &model), PHIAL_INVALID_ARGUMENT);
  expect(phial_model_open(".", NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_tokenizer_open(NULL, &tokenizer), PHIAL_INVALID_ARGUMENT);
  expect(phial_generate(NULL, "x", 1, NULL, NULL, NULL, NULL, &result), PHIAL_INVALID_ARGUMENT);
  expect(phial_chat_new(NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_session_new(NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_quantize(NULL, NULL, NULL, NULL, NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_make_random(NULL, 0, 0, NULL, NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_package_describe("nowhere", &text), PHIAL_NOT_FOUND);
  CHECK(model == NULL && result == NULL && tokenizer == NULL && text == NULL);
}

static int count_progress(int* calls) { return ++*calls; }

static void on_progress(void* user, uint64_t done, uint64_t total, const char* current) {
  CHECK(done <= total);
  CHECK(current != NULL);
  count_progress((int*)user);
}

static int never(void* user) {
  (void)user;
  return 0;
}

static void test_way_through(const char* folder) {
  char source[1024], package[1024];
  phial_quantize_options recipe;
  phial_model* model = NULL;
  phial_session* session = NULL;
  char* json = NULL;
  int calls = 0, i = 0;
  const int32_t ids[3] = {4, 5, 6};
  float* all = NULL;
  float* last = NULL;
  snprintf(source, sizeof source, "%s/source", folder);
  snprintf(package, sizeof package, "%s/package", folder);

  must(phial_make_random(kConfig, 0, 1, NULL, NULL, source));
  phial_quantize_options_init(&recipe, sizeof recipe);
  recipe.group_size = 32;
  must(phial_quantize(source, package, &recipe, on_progress, never, &calls));
  CHECK(calls > 0);
  expect(phial_quantize(source, package, &recipe, NULL, NULL, NULL), PHIAL_INVALID_ARGUMENT);
  recipe.weight_format = "int5";
  expect(phial_quantize(source, package, &recipe, NULL, NULL, NULL), PHIAL_INVALID_ARGUMENT);

  must(phial_model_open(package, NULL, &model));
  CHECK(phial_model_tokenizer(model) == NULL);
  must(phial_model_describe(model, &json));
  CHECK(strstr(json, "\"session\"") != NULL);
  phial_free(json);

  must(phial_session_new(model, &session));
  CHECK(phial_session_vocab(session) == 96);
  all = malloc(sizeof(float) * 3 * 96);
  last = malloc(sizeof(float) * 96);
  must(phial_session_step(session, ids, 3, all, 1, never, NULL));
  CHECK(phial_session_length(session) == 3);
  must(phial_session_truncate(session, 0));
  must(phial_session_step(session, ids, 3, last, 0, NULL, NULL));
  for (i = 0; i < 96; ++i)
    CHECK(last[i] - all[2 * 96 + i] < 1e-3f && all[2 * 96 + i] - last[i] < 1e-3f);
  expect(phial_session_step(session, ids, 0, NULL, 0, NULL, NULL), PHIAL_INVALID_ARGUMENT);
  expect(phial_session_truncate(session, -1), PHIAL_INVALID_ARGUMENT);
  free(all);
  free(last);
  phial_session_free(session);
  phial_model_close(model);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  CHECK(phial_version() != NULL && phial_version()[0] != '\0');
  test_null();
  test_way_through(argv[1]);
  if (failures == 0) puts("ok");
  return failures != 0;
}
