// SPDX-License-Identifier: Apache-2.0
// A model that is open on a device, conversations with it, and what needs no open model.
using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Phial
{
    /// <summary>A model, opened from a folder or by its name. May be used by any number of threads: their calls wait for each
    /// other. Disposing of it stops what runs.</summary>
    public sealed class Engine : IDisposable
    {
        private readonly CancellationTokenSource closing = new CancellationTokenSource();
        internal ModelHandle Handle { get; private set; }

        public Engine(string path, EngineOptions options = null)
        {
            options = options ?? new EngineOptions();
            var notice = options.OnNotice;
            NoticeCallback onNotice = null;
            if (notice != null)
            {
                onNotice = (user, kind, text) =>
                {
                    try { notice((NoticeKind)kind, Text.From(text)); }
                    catch (Exception) { }  // it has nobody to go to: the library called
                };
            }
            using (var memory = new Memory())
            {
                IntPtr found, model;
                PhialException.Check(Native.phial_models_find(Text.C("path", path), out found));
                var folder = Text.Take(found);
                NativeModelOptions native;
                Native.phial_model_options_init(out native, Native.SizeOf<NativeModelOptions>());
                native.Device = memory.Text("Device", options.Device);
                if (options.KvCache != null) native.KvCache = memory.Text("KvCache", options.KvCache);
                if (options.Policy != null) native.Policy = memory.Text("Policy", options.Policy);
                native.PromptTokens = options.PromptTokens;
                native.Context = options.Context;
                native.MaxSequences = options.MaxSequences;
                native.Threads = options.Threads;
                native.PrefillChunk = options.PrefillChunk;
                native.RequireDevice = options.RequireDevice ? 1 : 0;
                native.Settings = memory.Texts("Settings", options.Settings);
                native.SettingsCount = (UIntPtr)(ulong)options.Settings.Count;
                if (onNotice != null) native.Notice = Marshal.GetFunctionPointerForDelegate(onNotice);
                PhialException.Check(Native.phial_model_open(Text.C("path", folder), ref native, out model));
                Handle = new ModelHandle(model) { Notice = onNotice };
            }
        }

        /// <summary>Continues a text as it is, without the chat template.</summary>
        public Result Generate(string prompt, GenerateOptions options = null, CancellationToken cancel = default(CancellationToken))
        {
            using (var both = Linked(cancel)) return Call.Run(Generating(prompt), options, null, both.Token, cancel);
        }

        public async Task<Result> GenerateAsync(string prompt, GenerateOptions options = null,
                                                CancellationToken cancel = default(CancellationToken))
        {
            using (var both = Linked(cancel))
                return await Call.RunAsync(Generating(prompt), options, both.Token, cancel).ConfigureAwait(false);
        }

        /// <summary>The same in pieces: foreach, or await foreach.</summary>
        public TextStream Stream(string prompt, GenerateOptions options = null,
                                 CancellationToken cancel = default(CancellationToken))
        {
            return new TextStream(Generating(prompt), options, Linked(cancel));
        }

        /// <summary>A conversation that begins with this question, and its answer.</summary>
        public Result Chat(string question, GenerateOptions options = null, CancellationToken cancel = default(CancellationToken))
        {
            using (var conversation = new Conversation(this)) return conversation.Ask(question, options, cancel);
        }

        /// <summary>JSON: everything that is known of the model and the session.</summary>
        public string Describe()
        {
            IntPtr json;
            PhialException.Check(Native.phial_model_describe(Handle, out json));
            return Text.Take(json);
        }

        public int[] Tokenize(string text)
        {
            var bytes = Text.Of("text", text);
            IntPtr ids;
            UIntPtr count;
            var held = false;
            Handle.DangerousAddRef(ref held);
            try
            {
                PhialException.Check(Native.phial_tokenizer_encode(Tokenizer(), bytes, (UIntPtr)(ulong)bytes.Length, 1, out ids,
                                                                   out count));
            }
            finally { Handle.DangerousRelease(); }
            try
            {
                var result = new int[(int)count];
                if (result.Length > 0) Marshal.Copy(ids, result, 0, result.Length);
                return result;
            }
            finally { Native.phial_free(ids); }
        }

        public string Detokenize(int[] ids, bool keepSpecial = false)
        {
            if (ids == null) throw new ArgumentNullException("ids");
            IntPtr text;
            UIntPtr length;
            var held = false;
            Handle.DangerousAddRef(ref held);
            try
            {
                PhialException.Check(Native.phial_tokenizer_decode(Tokenizer(), ids, (UIntPtr)(ulong)ids.Length,
                                                                   keepSpecial ? 1 : 0, out text, out length));
            }
            finally { Handle.DangerousRelease(); }
            try { return Text.From(text, (int)length); }
            finally { Native.phial_free(text); }
        }

        public void Dispose()
        {
            closing.Cancel();
            Handle.Dispose();
        }

        internal CancellationTokenSource Linked(CancellationToken cancel)
        {
            return CancellationTokenSource.CreateLinkedTokenSource(closing.Token, cancel);
        }

        private IntPtr Tokenizer()
        {
            var tokenizer = Native.phial_model_tokenizer(Handle);
            if (tokenizer == IntPtr.Zero)
                throw new PhialException(PhialCode.Unsupported, "this model has no tokenizer.json, so it can't take or give text");
            return tokenizer;
        }

        private NativeCall Generating(string prompt)
        {
            var bytes = Text.Of("prompt", prompt);
            return (ref NativeGenerateParams parameters, TextCallback onText, InterruptCallback interrupt, out IntPtr result) =>
                Native.phial_generate(Handle, bytes, (UIntPtr)(ulong)bytes.Length, ref parameters, onText, interrupt,
                                      IntPtr.Zero, out result);
        }

        // ---- Without an open model ----

        public static string Version { get { return Text.From(Native.phial_version()); } }

        /// <summary>JSON: this computer, its devices, and why one can't be used.</summary>
        public static string Devices()
        {
            IntPtr json;
            PhialException.Check(Native.phial_devices(out json));
            return Text.Take(json);
        }

        /// <summary>JSON: what is known of a package or a Hugging Face folder.</summary>
        public static string Describe(string folder)
        {
            IntPtr json;
            PhialException.Check(Native.phial_package_describe(Text.C("folder", folder), out json));
            return Text.Take(json);
        }

        /// <summary>Makes a package of a Hugging Face folder. It appears whole or not at all.</summary>
        public static void Quantize(string source, string destination, QuantizeOptions options = null,
                                    Action<ulong, ulong, string> progress = null,
                                    CancellationToken cancel = default(CancellationToken))
        {
            options = options ?? new QuantizeOptions();
            Exception thrown = null;
            ProgressCallback onProgress = (user, done, total, current) =>
            {
                try { if (progress != null && thrown == null) progress(done, total, Text.From(current)); }
                catch (Exception e) { thrown = e; }
            };
            InterruptCallback interrupt = user => thrown != null || cancel.IsCancellationRequested ? 1 : 0;
            using (var memory = new Memory())
            {
                NativeQuantizeOptions native;
                Native.phial_quantize_options_init(out native, Native.SizeOf<NativeQuantizeOptions>());
                native.WeightFormat = memory.Text("WeightFormat", options.WeightFormat);
                native.GroupSize = options.GroupSize;
                native.Ratio = options.Ratio;
                native.Symmetric = options.Symmetric.HasValue ? (options.Symmetric.Value ? 1 : 0) : -1;
                native.AllLayers = options.AllLayers ? 1 : 0;
                native.Threads = options.Threads;
                native.Overwrite = options.Overwrite ? 1 : 0;
                var error = Native.phial_quantize(Text.C("source", source), Text.C("destination", destination), ref native,
                                                  onProgress, interrupt, IntPtr.Zero);
                GC.KeepAlive(onProgress);
                GC.KeepAlive(interrupt);
                if (thrown != null)
                {
                    if (error != IntPtr.Zero) Native.phial_error_free(error);
                    ExceptionDispatchInfo.Capture(thrown).Throw();
                }
                PhialException.Check(error);
            }
        }
    }

    /// <summary>Messages and answers by the model's own template; earlier turns aren't computed again. For one thread at a
    /// time.</summary>
    public sealed class Conversation : IDisposable
    {
        private readonly Engine engine;
        private readonly ChatHandle handle;

        public Conversation(Engine engine, string system = null)
        {
            if (engine == null) throw new ArgumentNullException("engine");
            this.engine = engine;
            IntPtr chat;
            PhialException.Check(Native.phial_chat_new(engine.Handle, out chat));
            handle = new ChatHandle(engine.Handle, chat);
            if (system != null) Add("system", system);
        }

        public void Add(string role, string content)
        {
            var bytes = Text.Of("content", content);
            PhialException.Check(Native.phial_chat_add(handle, Text.C("role", role), bytes, (UIntPtr)(ulong)bytes.Length));
        }

        /// <summary>The assistant's answer to the messages so far.</summary>
        public Result Reply(GenerateOptions options = null, CancellationToken cancel = default(CancellationToken))
        {
            using (var both = engine.Linked(cancel)) return Call.Run(Replying(), options, null, both.Token, cancel);
        }

        public async Task<Result> ReplyAsync(GenerateOptions options = null,
                                             CancellationToken cancel = default(CancellationToken))
        {
            using (var both = engine.Linked(cancel))
                return await Call.RunAsync(Replying(), options, both.Token, cancel).ConfigureAwait(false);
        }

        public TextStream ReplyStream(GenerateOptions options = null, CancellationToken cancel = default(CancellationToken))
        {
            return new TextStream(Replying(), options, engine.Linked(cancel));
        }

        public Result Ask(string question, GenerateOptions options = null, CancellationToken cancel = default(CancellationToken))
        {
            Add("user", question);
            return Reply(options, cancel);
        }

        /// <summary>Forgets all messages but a leading system message.</summary>
        public void Clear() { PhialException.Check(Native.phial_chat_clear(handle)); }

        /// <summary>JSON: [{"role": ..., "content": ...}].</summary>
        public string Messages()
        {
            IntPtr json;
            PhialException.Check(Native.phial_chat_messages(handle, out json));
            return Text.Take(json);
        }

        public void Dispose() { handle.Dispose(); }

        private NativeCall Replying()
        {
            return (ref NativeGenerateParams parameters, TextCallback onText, InterruptCallback interrupt, out IntPtr result) =>
                Native.phial_chat_reply(handle, ref parameters, onText, interrupt, IntPtr.Zero, out result);
        }
    }
}
