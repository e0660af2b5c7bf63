// SPDX-License-Identifier: Apache-2.0
// phial.h for P/Invoke: structs and functions, field by field as in the header. Not for users.
using System;
using System.Runtime.InteropServices;

namespace Phial
{
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate int TextCallback(IntPtr user, IntPtr text, UIntPtr length);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate int InterruptCallback(IntPtr user);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void ProgressCallback(IntPtr user, ulong done, ulong total, IntPtr current);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void NoticeCallback(IntPtr user, int kind, IntPtr text);

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeModelOptions
    {
        public UIntPtr Size;
        public IntPtr Device;
        public IntPtr KvCache;
        public int Context;
        public int MaxSequences;
        public int Threads;
        public int PrefillChunk;
        public int RequireDevice;
        public IntPtr Settings;
        public UIntPtr SettingsCount;
        public IntPtr Notice;
        public IntPtr NoticeUser;
        public IntPtr Activations;
        public IntPtr Policy;
        public int PromptTokens;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeQuantizeOptions
    {
        public UIntPtr Size;
        public IntPtr WeightFormat;
        public double Ratio;
        public int GroupSize;
        public int Symmetric;
        public int AllLayers;
        public int Threads;
        public int Overwrite;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeGenerateParams
    {
        public UIntPtr Size;
        public int MaxNewTokens;
        public float Temperature;
        public int TopK;
        public float TopP;
        public float MinP;
        public float RepetitionPenalty;
        public float PresencePenalty;
        public float FrequencyPenalty;
        public ulong Seed;
        public int IgnoreEos;
        public int KeepSpecial;
        public IntPtr Stop;
        public UIntPtr StopCount;
        public IntPtr Speculate;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeStats
    {
        public UIntPtr Size;
        public int PromptTokens;
        public int CachedTokens;
        public int GeneratedTokens;
        public int Threads;
        public double PrefillSeconds;
        public double DecodeSeconds;
        public double FirstTokenSeconds;
        public ulong PeakRssBytes;
        public IntPtr Device;
        public IntPtr Tier;
    }

    // Texts are zero-terminated UTF-8 unless a length follows. What returns IntPtr without being named an accessor returns
    // phial_error*.
    internal static class Native
    {
        private const string Library = "phial";
        private const CallingConvention C = CallingConvention.Cdecl;

        // Of a struct as it is declared here: what the library may write.
        internal static UIntPtr SizeOf<T>() => (UIntPtr)Marshal.SizeOf<T>();

        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr phial_version();
        [DllImport(Library, CallingConvention = C)] internal static extern int phial_error_code(IntPtr error);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr phial_error_message(IntPtr error);
        [DllImport(Library, CallingConvention = C)] internal static extern void phial_error_free(IntPtr error);
        [DllImport(Library, CallingConvention = C)] internal static extern void phial_free(IntPtr memory);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr phial_devices(out IntPtr json);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_package_describe(byte[] folder, out IntPtr json);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_models_find(byte[] name, out IntPtr folder);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void phial_model_options_init(out NativeModelOptions options, UIntPtr size);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_model_open(byte[] folder, ref NativeModelOptions options, out IntPtr model);
        [DllImport(Library, CallingConvention = C)] internal static extern void phial_model_close(IntPtr model);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_model_describe(ModelHandle model, out IntPtr json);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_model_tokenizer(ModelHandle model);  // an accessor

        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_tokenizer_encode(IntPtr tokenizer, byte[] text, UIntPtr length, uint flags,
                                                             out IntPtr ids, out UIntPtr count);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_tokenizer_decode(IntPtr tokenizer, int[] ids, UIntPtr count, int keepSpecial,
                                                             out IntPtr text, out UIntPtr length);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void phial_generate_params_init(out NativeGenerateParams parameters, UIntPtr size);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_generate(ModelHandle model, byte[] prompt, UIntPtr length,
                                                     ref NativeGenerateParams parameters, TextCallback onText,
                                                     InterruptCallback interrupt, IntPtr user, out IntPtr result);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_result_text(IntPtr result, out UIntPtr length);  // an accessor
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_result_ids(IntPtr result, out UIntPtr count);  // an accessor
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_result_finish_reason(IntPtr result);  // an accessor
        [DllImport(Library, CallingConvention = C)]
        internal static extern void phial_result_stats(IntPtr result, ref NativeStats stats);
        [DllImport(Library, CallingConvention = C)] internal static extern void phial_result_free(IntPtr result);

        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_chat_new(ModelHandle model, out IntPtr chat);
        [DllImport(Library, CallingConvention = C)] internal static extern void phial_chat_free(IntPtr chat);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_chat_add(ChatHandle chat, byte[] role, byte[] content, UIntPtr length);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr phial_chat_clear(ChatHandle chat);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_chat_messages(ChatHandle chat, out IntPtr json);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_chat_reply(ChatHandle chat, ref NativeGenerateParams parameters,
                                                       TextCallback onText, InterruptCallback interrupt, IntPtr user,
                                                       out IntPtr result);

        [DllImport(Library, CallingConvention = C)]
        internal static extern void phial_quantize_options_init(out NativeQuantizeOptions options, UIntPtr size);
        [DllImport(Library, CallingConvention = C)]
        internal static extern IntPtr phial_quantize(byte[] source, byte[] destination, ref NativeQuantizeOptions options,
                                                     ProgressCallback progress, InterruptCallback interrupt, IntPtr user);
    }
}
