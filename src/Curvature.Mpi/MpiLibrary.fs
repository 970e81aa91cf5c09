namespace Curvature.FSharp

open System
open System.Runtime.InteropServices
open Curvature

/// The MPI library of this job. Its family decides what a handle is: Open MPI has pointers to objects that it exports
/// by name; MPICH and its kin (Intel MPI, Cray MPICH, MVAPICH, MS-MPI) have whole numbers that are the same in all.
[<NoEquality; NoComparison>]
type internal MpiLibrary =
    {
        Name: string
        Library: nativeint
        /// MPI_COMM_WORLD.
        World: nativeint
        /// MPI_BYTE.
        Byte: nativeint
    }

module internal MpiLibrary =

    /// What P/Invoke calls the library, whichever it is.
    [<Literal>]
    let Any = "curvature-mpi"

    /// A variable of the environment with the file name of the library.
    [<Literal>]
    let Variable = "CURVATURE_MPI"

    let private isSet (name: string) = not (String.IsNullOrEmpty(Environment.GetEnvironmentVariable name))

    let private openMpi = [ "libmpi.so.40"; "libmpi.so.80"; "libmpi.40.dylib" ]

    let private mpich = [ "libmpich.so.12"; "libmpi.so.12"; "libmpi_cray.so.12"; "libmpi.12.dylib"; "msmpi.dll" ]

    let private other = [ "libmpi.so"; "libmpi.dylib" ]

    /// File names to try. The launcher says for which family the job is: mpirun of Open MPI and Slurm's PMIx, or hydra
    /// and Slurm's PMI-2.
    let private candidates () =
        match Environment.GetEnvironmentVariable Variable with
        | null
        | "" ->
            if isSet "OMPI_COMM_WORLD_SIZE" then openMpi @ other
            elif isSet "PMI_RANK" || isSet "PMI_SIZE" then mpich @ other
            else openMpi @ other @ mpich
        | name -> [ name ]

    let private load (name: string) =
        match NativeLibrary.TryLoad name with
        | true, library -> ValueSome struct (name, library)
        | _ -> ValueNone

    let private handles name (library: nativeint) : MpiLibrary =
        match NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world") with
        | true, world ->
            {
                Name = name
                Library = library
                World = world
                Byte = NativeLibrary.GetExport(library, "ompi_mpi_byte")
            }
        | _ ->
            {
                Name = name
                Library = library
                World = nativeint 0x44000000
                Byte = nativeint 0x4c00010d
            }

    /// The library; nothing where there is none.
    let private found =
        lazy
            (let found = candidates () |> Seq.tryPick (load >> ValueOption.toOption)

             match found with
             | Some(struct (name, library)) ->
                 let assembly = System.Reflection.Assembly.GetExecutingAssembly()
                 NativeLibrary.SetDllImportResolver(assembly, fun asked _ _ -> if asked = Any then library else 0n)
                 Some(handles name library)
             | None -> None)

    let isThere () = found.Value.IsSome

    /// Raises ClusterException where there is none.
    let get () : MpiLibrary =
        match found.Value with
        | Some library -> library
        | None ->
            let names = String.concat ", " (candidates ())

            raise (
                ClusterException(
                    $"there is no MPI library here; tried {names}. Install Open MPI or MPICH, or give the file's name "
                    + $"by the variable {Variable}"
                )
            )

    /// How many ranks the launcher says that there are; 0 where it says nothing.
    let launched () : int =
        [ "OMPI_COMM_WORLD_SIZE"; "PMI_SIZE"; "MPI_LOCALNRANKS" ]
        |> List.tryPick (fun name ->
            match Int32.TryParse(Environment.GetEnvironmentVariable name) with
            | true, size -> Some size
            | _ -> None)
        |> Option.defaultValue 0
