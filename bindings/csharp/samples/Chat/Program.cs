// SPDX-License-Identifier: Apache-2.0
// A chat on the console. Ctrl-C stops an answer, an empty line ends. usage: Chat MODEL [DEVICE]
using System;
using System.Threading;
using Phial;

internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length < 1)
        {
            Console.Error.WriteLine("usage: Chat MODEL [DEVICE]");
            return 2;
        }
        try
        {
            var options = new EngineOptions
            {
                Device = args.Length > 1 ? args[1] : "auto",
                OnNotice = (kind, text) => { if (kind != NoticeKind.Progress) Console.Error.WriteLine("phial: " + text); }
            };
            using (var engine = new Engine(args[0], options))
            using (var conversation = new Conversation(engine))
                Talk(conversation);
            return 0;
        }
        catch (PhialException e)
        {
            Console.Error.WriteLine("phial: " + e.Message);
            return 1;
        }
    }

    private static void Talk(Conversation conversation)
    {
        CancellationTokenSource stop = null;
        Console.CancelKeyPress += (sender, e) =>
        {
            var answer = stop;
            if (answer == null) return;
            e.Cancel = true;
            try { answer.Cancel(); }
            catch (ObjectDisposedException) { }  // it has ended meanwhile
        };
        for (;;)
        {
            Console.Write("> ");
            var question = Console.ReadLine();
            if (string.IsNullOrEmpty(question)) return;
            conversation.Add("user", question);
            using (stop = new CancellationTokenSource())
            {
                try
                {
                    using (var answer = conversation.ReplyStream(null, stop.Token))
                        foreach (var piece in answer) Console.Write(piece);
                    Console.WriteLine();
                }
                catch (OperationCanceledException) { Console.WriteLine("[stopped]"); }
            }
            stop = null;
        }
    }
}
