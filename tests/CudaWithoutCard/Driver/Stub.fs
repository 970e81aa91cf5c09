namespace Curvature.Tests.CudaWithoutCard

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open Expecto
open Curvature.Cuda
open Curvature.Tests

/// What the stub counts.
type StubKind =
    | Blocks = 0
    | Bytes = 1
    | Modules = 2
    | Streams = 3
    | Contexts = 4

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type StubListener = delegate of nativeint * nativeint * nativeint * nativeint -> unit

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Nothing = delegate of unit -> unit

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Count = delegate of unit -> int

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private CountOf = delegate of int -> int64

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Size = delegate of unativeint -> unit

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Cards = delegate of int * int * int -> unit

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Failure = delegate of string * int * int -> unit

[<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
type private Listening = delegate of StubListener -> unit

/// A driver without a card, compiled from driver_stub.c when it is first needed.
[<RequireQualifiedAccess>]
module Stub =

    let private compiled =
        lazy
            (let folder = Directory.CreateTempSubdirectory("curvature-stub").FullName
             let library = Path.Combine(folder, "libcuda-stub.so")
             let root = SharedData.repositoryRoot.Value
             let source = Path.Combine(root, "tests", "CudaWithoutCard", "Driver", "driver_stub.c")
             let arguments = [ "-shared"; "-fPIC"; "-O1"; "-o"; library; source ]

             try
                 use gcc = Process.Start("gcc", arguments)
                 gcc.WaitForExit()
                 if gcc.ExitCode = 0 then Some library else None
             with :? ComponentModel.Win32Exception ->
                 None)

    let private handle = lazy (NativeLibrary.Load compiled.Value.Value)

    let private call<'D> name = Marshal.GetDelegateForFunctionPointer<'D>(NativeLibrary.GetExport(handle.Value, name))

    /// The file of the stub; skips the test where it cannot be compiled.
    let file () =
        match compiled.Value with
        | Some file -> file
        | None -> skiptest "this machine has no gcc to compile a driver without a card"

    // The listener must not be collected while the stub has it.
    let mutable private listener: StubListener option = None

    /// As it was at first: nothing alive, one card, and no errors.
    let reset () =
        listener <- None
        file () |> ignore
        (call<Nothing> "stub_reset").Invoke()

    /// Lets a call fail with a code, after so many calls of the same name that do not ("" for any name).
    let fail (name: string) after (code: int) = (call<Failure> "stub_fail").Invoke(name, after, code)

    /// The bytes of memory of the card.
    let capacity (bytes: int64) = (call<Size> "stub_capacity").Invoke(unativeint bytes)

    /// Cards, and their compute capability.
    let cards count major minor = (call<Cards> "stub_cards").Invoke(count, major, minor)

    /// How many of a kind are alive.
    let live (kind: StubKind) = (call<CountOf> "stub_live").Invoke(int kind)

    /// How often a caller did what it must not.
    let misuses () = (call<Count> "stub_misuses").Invoke()

    /// How many calls there were.
    let calls () = (call<Count> "stub_calls").Invoke()

    /// Gives launches to a function.
    let listen (action: StubListener) =
        listener <- Some action
        (call<Listening> "stub_listen").Invoke action

    /// The driver that the library calls.
    let driver () = CudaLibrary.Load(file ())

    /// A device on the stub.
    let openDevice () =
        new CudaDevice(driver (), 0, Curvature.Kernels.PoolOptions(Int64.MaxValue, TimeSpan.FromSeconds 30.0))
