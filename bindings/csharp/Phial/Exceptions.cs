// SPDX-License-Identifier: Apache-2.0
// What goes wrong, as exceptions. Their sentences are the library's own, the same that the command line prints.
using System;

namespace Phial
{
    /// <summary>The codes of phial.h.</summary>
    public enum PhialCode
    {
        InvalidArgument = 1, NotFound = 2, Corrupt = 3, Unsupported = 4, IO = 5, OutOfMemory = 6, ContextFull = 7,
        Cancelled = 8, Internal = 9
    }

    /// <summary>Anything that phial couldn't do; the message is one sentence: what, where, found, expected.</summary>
    public class PhialException : Exception
    {
        public PhialException(PhialCode code, string message) : base(message) { Code = code; }

        public PhialCode Code { get; private set; }

        // For the value of every function that returns phial_error*.
        internal static void Check(IntPtr error)
        {
            if (error == IntPtr.Zero) return;
            PhialCode code;
            string message;
            try
            {
                code = (PhialCode)Native.phial_error_code(error);
                message = Text.From(Native.phial_error_message(error));
            }
            finally { Native.phial_error_free(error); }
            switch (code)
            {
                case PhialCode.InvalidArgument: throw new PhialInvalidArgumentException(message);
                case PhialCode.NotFound: throw new PhialNotFoundException(message);
                case PhialCode.ContextFull: throw new PhialContextFullException(message);
                case PhialCode.Cancelled: throw new OperationCanceledException(message);
                default: throw new PhialException(code, message);
            }
        }
    }

    /// <summary>A value that can't be meant, such as a negative temperature.</summary>
    public class PhialInvalidArgumentException : PhialException
    {
        public PhialInvalidArgumentException(string message) : base(PhialCode.InvalidArgument, message) { }
    }

    /// <summary>A file, folder or model isn't there.</summary>
    public class PhialNotFoundException : PhialException
    {
        public PhialNotFoundException(string message) : base(PhialCode.NotFound, message) { }
    }

    /// <summary>The prompt or the conversation is longer than the context.</summary>
    public class PhialContextFullException : PhialException
    {
        public PhialContextFullException(string message) : base(PhialCode.ContextFull, message) { }
    }
}
