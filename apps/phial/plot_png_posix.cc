// SPDX-License-Identifier: Apache-2.0
// The few functions of librsvg and cairo that turn an SVG into a PNG, found at run time by the
// system's loader. Their types are declared here as their documentation states them (librsvg 2.52).
#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>

#include "cli.h"
#include "plot_file.h"

namespace cli {

namespace {

constexpr double kScale = 2;  // for screens and slides of today

struct GError {
  uint32_t domain;
  int code;
  char* message;
};
struct RsvgRectangle {
  double x, y, width, height;
};
struct RsvgHandle;
struct Surface;
struct Cairo;

struct Librsvg {
  RsvgHandle* (*handle_from_data)(const uint8_t*, size_t, GError**);
  int (*size_in_pixels)(RsvgHandle*, double*, double*);
  int (*render)(RsvgHandle*, Cairo*, const RsvgRectangle*, GError**);
  void (*unref)(void*);
  Surface* (*create_surface)(int format, int width, int height);
  int (*write_to_png_stream)(Surface*, int (*)(void*, const unsigned char*, unsigned), void*);
  void (*destroy_surface)(Surface*);
  Cairo* (*create)(Surface*);
  void (*destroy)(Cairo*);

  // False: something of it is missing.
  bool load() {
    void* const library = dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    const auto find = [&](const char* name, auto& function) {  // cairo and GObject come with it
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find("rsvg_handle_new_from_data", handle_from_data) &&
           find("rsvg_handle_get_intrinsic_size_in_pixels", size_in_pixels) &&
           find("rsvg_handle_render_document", render) && find("g_object_unref", unref) &&
           find("cairo_image_surface_create", create_surface) &&
           find("cairo_surface_write_to_png_stream", write_to_png_stream) &&
           find("cairo_surface_destroy", destroy_surface) && find("cairo_create", create) &&
           find("cairo_destroy", destroy);
  }
};

int append(void* to, const unsigned char* bytes, unsigned size) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), size);
  return 0;
}

}  // namespace

std::string png_of_svg(const std::string& path, const std::string& svg) {
  Librsvg lib{};
  if (!lib.load())
    throw Failure(
        fmt::format("{}: PNG files need librsvg 2.52 or newer, which isn't here (Debian: "
                    "librsvg2-2); install it, or call the plot something.svg",
                    path));
  if (svg.empty()) return {};
  std::string png;
  double width = 0, height = 0;
  bool done = false;
  RsvgHandle* const handle =
      lib.handle_from_data(reinterpret_cast<const uint8_t*>(svg.data()), svg.size(), nullptr);
  if (handle && lib.size_in_pixels(handle, &width, &height)) {
    const RsvgRectangle all{0, 0, std::ceil(width * kScale), std::ceil(height * kScale)};
    Surface* const surface =
        lib.create_surface(0, static_cast<int>(all.width), static_cast<int>(all.height));
    Cairo* const cairo = lib.create(surface);
    done = lib.render(handle, cairo, &all, nullptr) != 0 &&
           lib.write_to_png_stream(surface, append, &png) == 0;
    lib.destroy(cairo);
    lib.destroy_surface(surface);
  }
  if (handle) lib.unref(handle);
  if (!done)
    throw Failure(fmt::format("{}: librsvg can't draw it; call the plot something.svg", path));
  return png;
}

}  // namespace cli
