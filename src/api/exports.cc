// SPDX-License-Identifier: Apache-2.0
// The shared library's only source of its own: everything else comes from phial_api's archive as it
// is.
#include <phial/phial.h>
