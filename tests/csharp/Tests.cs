// SPDX-License-Identifier: Apache-2.0
// The C# library on the demo model. usage: Tests PACKAGE CHECKPOINT SCRATCH TEST
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Phial;

internal static class Tests
{
    private const string Question = "Can you introduce yourself?";
    private static readonly GenerateOptions Endless = new GenerateOptions { IgnoreEos = true, Temperature = 1, Seed = 1 };

    private static void Check(bool good, string what)
    {
        if (!good) throw new Exception("not so: " + what);
    }

    private static T Throws<T>(Action action) where T : Exception
    {
        try { action(); }
        catch (T e) { return e; }
        throw new Exception("nothing was thrown, expected " + typeof(T));
    }

    private static void Answers(string package)
    {
        using (var engine = new Engine(package, new EngineOptions { Device = "cpu" }))
        {
            var result = engine.Chat(Question);
            Check(result.Text.StartsWith("My name is Phial"), result.Text);
            Check(result.FinishReason == "stop" && result.GeneratedTokens == result.Ids.Count + 1, "counts");
            Check(result.Device == "cpu" && result.Tier.Length > 0 && result.DecodeSeconds > 0, "statistics");
            Check(engine.Detokenize(result.Ids.ToArray()) == result.Text, "Detokenize");
            var five = new GenerateOptions { MaxNewTokens = 5 };
            var text = engine.Generate("The", five).Text;
            Check(engine.GenerateAsync("The", five).Result.Text == text, "GenerateAsync");
            var stream = engine.Stream("The", five);
            Check(string.Concat(stream) == text && stream.Result.Text == text, "Stream");
            Check(ReadAsync(engine.Stream("The", five)).Result == text, "IAsyncEnumerable");
            Check(engine.Stream("The", five).ConfigureAwait(false).GetAsyncEnumerator().MoveNextAsync().GetAwaiter().GetResult(), "ConfigureAwait");
            var stopped = engine.Chat(Question, new GenerateOptions { Stop = new[] { "nothing like it", "Phial" } });
            Check(stopped.Text == result.Text.Substring(0, result.Text.IndexOf("Phial")), "Stop");
            var warm = new GenerateOptions { Temperature = 1.5f, TopK = 50, TopP = 0.99f, Seed = ulong.MaxValue, MaxNewTokens = 12 };
            Check(engine.Generate("The", warm).Text == engine.Generate("The", warm).Text, "Seed");
            Check(engine.Detokenize(engine.Tokenize("Grüße, \u2603")) == "Grüße, \u2603", "Tokenize");
            Check(engine.Describe().Contains("\"session\""), "Describe");
            using (var conversation = new Conversation(engine, "You are a helpful AI assistant."))
            {
                Check(conversation.Ask(Question).Text.Length > 0, "Ask");
                conversation.Add("user", "What is an NPU?");
                var reply = conversation.ReplyStream();
                Check(string.Concat(reply).Contains("neural"), "ReplyStream");
                Check(reply.Result.CachedTokens > 10, "the cache");
                Check(conversation.Messages().Contains("What is an NPU?"), "Messages");
                conversation.Clear();
                Check(!conversation.Messages().Contains("NPU"), "Clear");
                Check(conversation.ReplyAsync().Result != null, "ReplyAsync");
            }
            var found = new Dictionary<int, string>();
            Parallel.For(0, 8, i => { var t = engine.Generate("Number " + i, five).Text; lock (found) found[i] = t; });
            Check(Enumerable.Range(0, 8).All(i => found[i] == engine.Generate("Number " + i, five).Text), "threads");
        }
        Check(Engine.Version == "0.1.0" && Engine.Devices().Contains("\"cpu\""), "Devices");
        Check(Engine.Describe(package).Contains("\"recipe\""), "Describe");
    }

    private static async Task<string> ReadAsync(IAsyncEnumerable<string> pieces)
    {
        var text = "";
        var reader = pieces.GetAsyncEnumerator();  // what await foreach does; mcs doesn't know it
        while (await reader.MoveNextAsync()) text += reader.Current;
        await reader.DisposeAsync();
        return text;
    }

    private static void Stops(string package)
    {
        using (var engine = new Engine(package, new EngineOptions { Device = "cpu" }))
        {
            var stream = engine.Stream("The", Endless);
            foreach (var piece in stream) break;  // disposes of it, which stops the answer
            Check(stream.Result == null, "a stream that was left");
            var cancel = new CancellationTokenSource();
            Throws<OperationCanceledException>(() =>
            {
                foreach (var piece in engine.Stream("The", Endless, cancel.Token)) cancel.Cancel();
            });
            Check(Throws<OperationCanceledException>(() => engine.Generate("The", Endless, cancel.Token)).CancellationToken
                  == cancel.Token, "whose token it was");
            var task = engine.GenerateAsync("The", Endless, new CancellationTokenSource(50).Token);
            Check(Throws<AggregateException>(() => task.Wait()).InnerException is OperationCanceledException, "GenerateAsync");
            Check(task.IsCanceled, "a cancelled task isn't a failed one");
            Check(engine.Generate("The", new GenerateOptions { MaxNewTokens = 2 }).FinishReason == "length", "afterwards");
        }
        var closed = new Engine(package, new EngineOptions { Device = "cpu" });
        var running = closed.Stream("The", Endless);
        Check(running.MoveNext(), "a piece");
        closed.Dispose();
        closed.Dispose();
        Throws<OperationCanceledException>(() => { while (running.MoveNext()) { } });
        Throws<ObjectDisposedException>(() => closed.Tokenize("The"));
        Throws<ObjectDisposedException>(() => closed.Describe());
        Throws<ObjectDisposedException>(() => closed.Generate("The"));
        Throws<ObjectDisposedException>(() => new Conversation(closed));
    }

    private static void Refuses(string package, string checkpoint, string scratch)
    {
        Throws<PhialNotFoundException>(() => new Engine(Path.Combine(scratch, "nothing")));
        Throws<PhialException>(() => new Engine(package, new EngineOptions { Device = "cuda:7", RequireDevice = true }));
        Throws<ArgumentNullException>(() => new Engine(null));
        Throws<PhialInvalidArgumentException>(() => new Engine("zero\0byte"));
        var notices = new List<string>();
        using (var engine = new Engine(package, new EngineOptions { Device = "npu", OnNotice = (kind, text) => notices.Add(kind + " " + text) }))
        {
            Check(notices.Count > 0 && notices[0].StartsWith("Warning") && notices[0].Contains("npu"), "the fallback is told");
            var e = Throws<PhialInvalidArgumentException>(() => engine.Generate("The", new GenerateOptions { Temperature = -1 }));
            Check(e.Message == "sampling: temperature is -1, expected 0 to 3.4028235e+38" && e.Code == PhialCode.InvalidArgument, e.Message);
            Throws<PhialInvalidArgumentException>(() => engine.Generate(""));
            Throws<ArgumentNullException>(() => engine.Generate(null));
            Throws<PhialInvalidArgumentException>(() => engine.Generate("The", new GenerateOptions { Stop = new[] { "" } }));
            Throws<PhialContextFullException>(() => engine.Generate(string.Concat(Enumerable.Repeat("word ", 9000))));
            Throws<PhialInvalidArgumentException>(() => engine.Detokenize(new[] { -1 }));
            Throws<PhialException>(() => { foreach (var piece in engine.Stream("The", new GenerateOptions { TopP = 2 })) { } });
            using (var conversation = new Conversation(engine))
                Throws<PhialException>(() => conversation.Reply());
        }
        var made = Path.Combine(scratch, "made");
        ulong last = 0;
        Engine.Quantize(checkpoint, made, new QuantizeOptions { WeightFormat = "int8", Symmetric = true },
                        (done, total, current) => { Check(done >= last && done <= total, "progress"); last = done; });
        Check(last > 0 && File.Exists(Path.Combine(made, "phial.json")), "Quantize");
        Throws<PhialInvalidArgumentException>(() => Engine.Quantize(checkpoint, made));
        Throws<PhialInvalidArgumentException>(() => Engine.Quantize(checkpoint, made + "2", new QuantizeOptions { GroupSize = 100 }));
        Throws<InvalidTimeZoneException>(() => Engine.Quantize(checkpoint, made + "3", null, (a, b, c) => { throw new InvalidTimeZoneException(); }));
        Check(Directory.GetFileSystemEntries(scratch).Length == 1, "nothing is left of the others");
    }

    // Engines made, used and left to the collector, or disposed of; PHIAL_LEAK_CYCLES says how often (10000 by hand).
    private static void Leaks(string package)
    {
        Func<long> resident = () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * 4096;
        };
        Action<int> cycle = i =>
        {
            var engine = new Engine(package, new EngineOptions { Device = "cpu", Threads = 1 });
            engine.Generate("The", new GenerateOptions { MaxNewTokens = 2 });
            foreach (var piece in engine.Stream("The", Endless)) break;
            engine.Chat("Hello", new GenerateOptions { MaxNewTokens = 1 });
            if (i % 2 == 0) engine.Dispose();
            if (i % 20 == 19) resident();  // the collector doesn't know how large these small objects are
        };
        for (var i = 0; i < 40; ++i) cycle(i);
        var before = resident();
        var cycles = int.Parse(Environment.GetEnvironmentVariable("PHIAL_LEAK_CYCLES") ?? "120");
        for (var i = 0; i < cycles; ++i) cycle(i);
        var after = resident();
        Console.WriteLine("{0} cycles: resident {1} -> {2}, threads {3}", cycles, before, after, Directory.GetDirectories("/proc/self/task").Length);
        Check(after - before < 16000000, "memory");
        Check(Directory.GetDirectories("/proc/self/task").Length < 40, "threads");
    }

    private static int Main(string[] args)
    {
        switch (args[3])
        {
            case "answers": Answers(args[0]); break;
            case "stops": Stops(args[0]); break;
            case "refuses": Refuses(args[0], args[1], args[2]); break;
            case "leaks": Leaks(args[0]); break;
            default: return 2;
        }
        Console.WriteLine(args[3] + ": good");
        return 0;
    }
}
