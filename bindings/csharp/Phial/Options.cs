// SPDX-License-Identifier: Apache-2.0
// What can be asked for, and what is given back. Ranges are checked by the library.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Phial
{
    public enum NoticeKind { Info = 0, Warning = 1, Progress = 2 }

    /// <summary>How a model is opened. Unset fields: the library's defaults.</summary>
    public sealed class EngineOptions
    {
        /// <summary>"auto", "cpu", "gpu", "npu", "openvino:GPU.0", "dml", "cuda", ...</summary>
        public string Device = "auto";
        /// <summary>No other device than the wanted one will do.</summary>
        public bool RequireDevice;
        public int Context, Threads, PrefillChunk;
        public int MaxSequences = 1;
        public string KvCache;
        /// <summary>How "auto" chooses: "auto", "fast" or "efficient".</summary>
        public string Policy;
        /// <summary>About as long as prompts will be; 0: not known.</summary>
        public int PromptTokens;
        /// <summary>"KEY=VALUE" for the runtime behind a device.</summary>
        public IReadOnlyList<string> Settings = new string[0];
        /// <summary>Lines for the user, such as that another device runs the model and why.</summary>
        public Action<NoticeKind, string> OnNotice;
    }

    /// <summary>How an answer is made.</summary>
    public sealed class GenerateOptions
    {
        /// <summary>-1: until the model stops or the context is full.</summary>
        public int MaxNewTokens = -1;
        /// <summary>0: always the likeliest token.</summary>
        public float Temperature;
        public int TopK;
        public float TopP = 1;
        public float MinP;
        public float RepetitionPenalty = 1;
        public float PresencePenalty, FrequencyPenalty;
        public ulong Seed;
        public bool IgnoreEos, KeepSpecial;
        /// <summary>Texts that end the answer.</summary>
        public IReadOnlyList<string> Stop = new string[0];

        internal NativeGenerateParams ToNative(Memory memory)
        {
            NativeGenerateParams native;
            Native.phial_generate_params_init(out native, Native.SizeOf<NativeGenerateParams>());
            native.MaxNewTokens = MaxNewTokens;
            native.Temperature = Temperature;
            native.TopK = TopK;
            native.TopP = TopP;
            native.MinP = MinP;
            native.RepetitionPenalty = RepetitionPenalty;
            native.PresencePenalty = PresencePenalty;
            native.FrequencyPenalty = FrequencyPenalty;
            native.Seed = Seed;
            native.IgnoreEos = IgnoreEos ? 1 : 0;
            native.KeepSpecial = KeepSpecial ? 1 : 0;
            native.Stop = memory.Texts("Stop", Stop);
            native.StopCount = (UIntPtr)(ulong)Stop.Count;
            return native;
        }
    }

    /// <summary>How a package is made of a Hugging Face folder.</summary>
    public sealed class QuantizeOptions
    {
        public string WeightFormat = "int4";
        public int GroupSize = 128;
        public double Ratio = 1;
        /// <summary>null: int4 symmetric, int8 asymmetric.</summary>
        public bool? Symmetric;
        public bool AllLayers, Overwrite;
        public int Threads;
    }

    /// <summary>One answer.</summary>
    public sealed class Result
    {
        public string Text { get; private set; }
        public IReadOnlyList<int> Ids { get; private set; }
        /// <summary>"stop", "length" or "cancelled".</summary>
        public string FinishReason { get; private set; }
        public int PromptTokens { get; private set; }
        public int CachedTokens { get; private set; }
        public int GeneratedTokens { get; private set; }
        public double PrefillSeconds { get; private set; }
        public double DecodeSeconds { get; private set; }
        public double FirstTokenSeconds { get; private set; }
        public string Device { get; private set; }
        public string Tier { get; private set; }

        public override string ToString() { return Text; }

        // Frees it.
        internal static Result Take(IntPtr handle)
        {
            try
            {
                UIntPtr length, count;
                var text = Native.phial_result_text(handle, out length);
                var first = Native.phial_result_ids(handle, out count);
                var ids = new int[(int)count];
                if (ids.Length > 0) Marshal.Copy(first, ids, 0, ids.Length);
                var stats = new NativeStats { Size = Native.SizeOf<NativeStats>() };
                Native.phial_result_stats(handle, ref stats);
                return new Result
                {
                    Text = Phial.Text.From(text, (int)length),
                    Ids = ids,
                    FinishReason = Phial.Text.From(Native.phial_result_finish_reason(handle)),
                    PromptTokens = stats.PromptTokens,
                    CachedTokens = stats.CachedTokens,
                    GeneratedTokens = stats.GeneratedTokens,
                    PrefillSeconds = stats.PrefillSeconds,
                    DecodeSeconds = stats.DecodeSeconds,
                    FirstTokenSeconds = stats.FirstTokenSeconds,
                    Device = Phial.Text.From(stats.Device),
                    Tier = Phial.Text.From(stats.Tier)
                };
            }
            finally { Native.phial_result_free(handle); }
        }
    }
}
