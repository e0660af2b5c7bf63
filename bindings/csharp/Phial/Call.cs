// SPDX-License-Identifier: Apache-2.0
// One call of the library that takes time: its pieces of text, and how it is stopped. Not for users.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;

namespace Phial
{
    // Does the native call with these callbacks; returns phial_error*.
    internal delegate IntPtr NativeCall(ref NativeGenerateParams parameters, TextCallback onText, InterruptCallback interrupt,
                                        out IntPtr result);

    internal static class Call
    {
        // On this thread. `onPiece` may be null; an exception of its stops the call and comes out. `cancel` stops it too;
        // `callers` is what the caller gave of that, and what the exception names if it was the reason.
        internal static Result Run(NativeCall call, GenerateOptions options, Action<string> onPiece, CancellationToken cancel,
                                   CancellationToken callers = default(CancellationToken))
        {
            Exception thrown = null;
            TextCallback onText = null;
            if (onPiece != null)
            {
                onText = (user, text, length) =>
                {
                    try { onPiece(Text.From(text, (int)length)); return 0; }
                    catch (Exception e) { thrown = e; return 1; }
                };
            }
            InterruptCallback interrupt = user => thrown != null || cancel.IsCancellationRequested ? 1 : 0;
            Result result;
            using (var memory = new Memory())
            {
                var parameters = (options ?? new GenerateOptions()).ToNative(memory);
                IntPtr handle;
                var error = call(ref parameters, onText, interrupt, out handle);
                GC.KeepAlive(onText);
                GC.KeepAlive(interrupt);
                try { PhialException.Check(error); }
                catch (OperationCanceledException e)
                {
                    if (callers.IsCancellationRequested) throw new OperationCanceledException(e.Message, e, callers);
                    throw;
                }
                result = Result.Take(handle);
            }
            if (thrown != null) ExceptionDispatchInfo.Capture(thrown).Throw();  // with the stack of where it came from
            callers.ThrowIfCancellationRequested();
            cancel.ThrowIfCancellationRequested();
            return result;
        }

        internal static Task<Result> RunAsync(NativeCall call, GenerateOptions options, CancellationToken cancel,
                                              CancellationToken callers)
        {
            return Task.Run(() => Run(call, options, null, cancel, callers), callers);
        }
    }

    /// <summary>An answer in pieces of whole characters, for foreach and for await foreach. It is read once; leaving the loop
    /// stops the answer.</summary>
    public sealed class TextStream : IEnumerable<string>, IEnumerator<string>, IAsyncEnumerable<string>, IAsyncEnumerator<string>
    {
        private readonly NativeCall call;
        private readonly GenerateOptions options;
        private readonly CancellationTokenSource stop;  // under its lock; it goes when the answer has ended
        private readonly CancellationToken stopped;
        private CancellationTokenRegistration asked;
        private bool ended;
        private readonly ConcurrentQueue<string> pieces = new ConcurrentQueue<string>();
        private readonly SemaphoreSlim ready = new SemaphoreSlim(0);  // one for each piece, and one for the end
        private Task<Result> task;

        // `stop` is the stream's own from here on.
        internal TextStream(NativeCall call, GenerateOptions options, CancellationTokenSource stop)
        {
            this.call = call;
            this.options = options;
            this.stop = stop;
            stopped = stop.Token;
        }

        public string Current { get; private set; }

        /// <summary>The whole answer, after the last piece; null before.</summary>
        public Result Result { get; private set; }

        public bool MoveNext()
        {
            Begin();
            ready.Wait();
            string piece;
            if (pieces.TryDequeue(out piece)) { Current = piece; return true; }
            ready.Release();  // the end stays
            Result = task.GetAwaiter().GetResult();
            return false;
        }

        public async ValueTask<bool> MoveNextAsync()
        {
            Begin();
            await ready.WaitAsync().ConfigureAwait(false);
            string piece;
            if (pieces.TryDequeue(out piece)) { Current = piece; return true; }
            ready.Release();
            Result = await task.ConfigureAwait(false);
            return false;
        }

        public void Dispose()
        {
            Stop();
            if (task == null) { End(); return; }
            try { task.Wait(); }
            catch (AggregateException) { }  // whoever reads to the end is told
        }

        public ValueTask DisposeAsync()
        {
            Stop();
            if (task != null) return new ValueTask(task.ContinueWith(done => done.Exception));
            End();
            return default(ValueTask);
        }

        public IEnumerator<string> GetEnumerator() { return this; }
        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() { return this; }
        object System.Collections.IEnumerator.Current { get { return Current; } }
        void System.Collections.IEnumerator.Reset() { throw new NotSupportedException("an answer is read once"); }

        public IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancel = default(CancellationToken))
        {
            if (cancel.CanBeCanceled) asked = cancel.Register(Stop);
            return this;
        }

        /// <summary>For await foreach. The extension methods of IAsyncEnumerable and of IAsyncDisposable would both fit.</summary>
        public ConfiguredCancelableAsyncEnumerable<string> ConfigureAwait(bool continueOnCapturedContext)
        {
            return TaskAsyncEnumerableExtensions.ConfigureAwait((IAsyncEnumerable<string>)this, continueOnCapturedContext);
        }

        private void Begin()
        {
            if (task != null) return;
            task = Task.Run(() =>
            {
                try
                {
                    return Call.Run(call, options, piece => { pieces.Enqueue(piece); ready.Release(); }, stopped);
                }
                finally
                {
                    End();
                    ready.Release();
                }
            });
        }

        private void Stop()
        {
            lock (stop)
                if (!ended) stop.Cancel();
        }

        // Nothing stays with the tokens that could have stopped it, which may live for long.
        private void End()
        {
            asked.Dispose();
            lock (stop)
            {
                ended = true;
                stop.Dispose();
            }
        }
    }
}
