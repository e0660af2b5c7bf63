// SPDX-License-Identifier: Apache-2.0
// Handles that the runtime releases when they were disposed of and the last call that uses them has returned; and texts on
// their way to the library and back. Not for users.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Phial
{
    internal sealed class ModelHandle : SafeHandle
    {
        internal ModelHandle(IntPtr model) : base(IntPtr.Zero, true) { SetHandle(model); }

        // The library calls it until the model is closed.
        internal NoticeCallback Notice;

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        protected override bool ReleaseHandle()
        {
            Native.phial_model_close(handle);
            return true;
        }
    }

    internal sealed class ChatHandle : SafeHandle
    {
        private readonly ModelHandle model;  // must be closed after this

        internal ChatHandle(ModelHandle model, IntPtr chat) : base(IntPtr.Zero, true)
        {
            var added = false;
            model.DangerousAddRef(ref added);
            this.model = model;
            SetHandle(chat);
        }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        protected override bool ReleaseHandle()
        {
            Native.phial_chat_free(handle);
            model.DangerousRelease();
            return true;
        }
    }

    internal static class Text
    {
        // Zero-terminated, for a parameter that is a C string.
        internal static byte[] C(string name, string text)
        {
            if (text == null) throw new ArgumentNullException(name);
            if (text.IndexOf('\0') >= 0) throw new PhialInvalidArgumentException(name + " has a zero byte in it");
            return Encoding.UTF8.GetBytes(text + "\0");
        }

        internal static byte[] Of(string name, string text)
        {
            if (text == null) throw new ArgumentNullException(name);
            return Encoding.UTF8.GetBytes(text);
        }

        internal static string From(IntPtr text, int length)
        {
            if (length == 0) return "";
            var bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }

        internal static string From(IntPtr text)
        {
            var length = 0;
            while (Marshal.ReadByte(text, length) != 0) ++length;
            return From(text, length);
        }

        // A text that was handed out; it is freed.
        internal static string Take(IntPtr text)
        {
            try { return From(text); }
            finally { Native.phial_free(text); }
        }
    }

    // C strings and arrays of them in memory that stays where it is, until it is disposed of.
    internal sealed class Memory : IDisposable
    {
        private readonly List<IntPtr> allocated = new List<IntPtr>();

        internal IntPtr Text(string name, string text)
        {
            var bytes = Phial.Text.C(name, text);
            var address = Allocate(bytes.Length);
            Marshal.Copy(bytes, 0, address, bytes.Length);
            return address;
        }

        internal IntPtr Texts(string name, IReadOnlyList<string> texts)
        {
            var array = Allocate(IntPtr.Size * Math.Max(1, texts.Count));
            for (var i = 0; i < texts.Count; ++i) Marshal.WriteIntPtr(array, i * IntPtr.Size, Text(name, texts[i]));
            return array;
        }

        public void Dispose()
        {
            foreach (var address in allocated) Marshal.FreeHGlobal(address);
            allocated.Clear();
        }

        private IntPtr Allocate(int bytes)
        {
            var address = Marshal.AllocHGlobal(bytes);
            allocated.Add(address);
            return address;
        }
    }
}
