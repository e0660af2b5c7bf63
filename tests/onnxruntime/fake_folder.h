// SPDX-License-Identifier: Apache-2.0
// fake_package() for tests that see phial's public interface only.
#pragma once

#include <string>

namespace phial {

// Makes the package and returns its folder.
std::string fake_folder(const std::string& folder);

}  // namespace phial
