namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Which uses of parameters make up one part of an approximation.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal PlannedBlock =
    /// The use of weights, in each group, or several uses of the same weights and whether inputs and outputs are
    /// exchanged. Positions are in the order of the groups, inputs and outputs.
    | Product of uses: (int * bool) list * positions: int[] * sizes: struct (int * int * int)
    /// Uses of parameters as they are.
    | Elements of uses: int list * positions: int[]
    /// Parameters whose gradients are found sample by sample.
    | BySample of positions: int[]
    /// Parameters that do not enter.
    | Unused of positions: int[]

/// How the uses of parameters fall into blocks: uses that share a parameter belong together.
[<NoEquality; NoComparison>]
type internal BlockPlan = { Blocks: PlannedBlock list; Warnings: string list }

module internal BlockPlan =

    let positions (block: PlannedBlock) =
        match block with
        | PlannedBlock.Product(_, positions, _)
        | PlannedBlock.Elements(_, positions)
        | PlannedBlock.BySample positions
        | PlannedBlock.Unused positions -> positions

    /// The tensors of parameters that some positions belong to.
    let names (layout: ParameterLayout) (positions: int[]) : string list =
        let sorted = Array.sort positions

        [
            for tensor in layout.Tensors do
                let at = System.Array.BinarySearch(sorted, tensor.Offset)
                let next = if at < 0 then ~~~at else at

                if next < sorted.Length && sorted[next] < tensor.Offset + tensor.Size then
                    tensor.Name
        ]

    let private placesOf (kind: UseKind) : Tensor =
        match kind with
        | UseKind.Weights weights -> weights.Places
        | UseKind.Rows(places, _) -> Tensor.unsqueeze 0 places
        | UseKind.Elements(places, _) -> places

    let private isProduct (kind: UseKind) =
        match kind with
        | UseKind.Elements _ -> false
        | _ -> true

    /// Numbers of sets of positions that share elements, joined: for each set the first set that it belongs with.
    let private join (n: int) (sets: int[][]) : int[] =
        let roots = Array.init sets.Length id
        let owner = Array.create n -1

        let rec root i = if roots[i] = i then i else root roots[i]

        sets
        |> Array.iteri (fun number positions ->
            for position in positions do
                if position >= 0 then
                    match owner[position] with
                    | -1 -> owner[position] <- number
                    | other ->
                        let a, b = root other, root number
                        roots[max a b] <- min a b)

        Array.init sets.Length root

    /// Whether weights are used again in the same order, or with inputs and outputs exchanged; nothing where in another
    /// one.
    let private again (first: Tensor) (other: Tensor) : bool voption =
        let equal (a: Tensor) (b: Tensor) =
            a.Signature.Shape = b.Signature.Shape && (Tensor.sum (Tensor.abs (a - b))).ToScalar() = 0.0

        if equal first other then ValueSome false
        elif equal first (Tensor.transpose other) then ValueSome true
        else ValueNone

    let private productOf (uses: ParameterUses) (members: int list) : PlannedBlock voption =
        let places = members |> List.map (fun number -> placesOf uses.Uses[number].Kind)
        let exchanged = places |> List.map (again places.Head)

        if exchanged |> List.forall _.IsSome then
            let shape = places.Head.Shape
            let sizes = struct (shape[0], shape[1], shape[2])
            let members = List.map2 (fun number (exchanged: bool voption) -> number, exchanged.Value) members exchanged
            ValueSome(PlannedBlock.Product(members, ParameterViews.positions places.Head, sizes))
        else
            ValueNone

    let private distinctPositions (sets: int[] seq) =
        sets |> Seq.concat |> Seq.filter (fun position -> position >= 0) |> Seq.distinct |> Seq.sort |> Seq.toArray

    /// The block of uses that belong together, where all are uses and none is of another kind.
    let private ofUses (uses: ParameterUses) (sets: int[][]) (members: int list) : PlannedBlock =
        let all = distinctPositions (members |> Seq.map (fun number -> sets[number]))

        if members |> List.exists (fun number -> number >= uses.Uses.Length) then
            PlannedBlock.BySample all
        elif members |> List.forall (fun number -> isProduct uses.Uses[number].Kind) then
            productOf uses members |> ValueOption.defaultValue (PlannedBlock.BySample all)
        elif members |> List.forall (fun number -> not (isProduct uses.Uses[number].Kind)) then
            PlannedBlock.Elements(members, all)
        else
            PlannedBlock.BySample all

    let private warning (layout: ParameterLayout) (block: PlannedBlock) : string option =
        let named positions = System.String.Join(", ", names layout positions)

        match block with
        | PlannedBlock.Product(uses, positions, _) when uses.Length > 1 ->
            Some $"Kfac: {named positions} are used {uses.Length} times, and the factors of the uses are added up"
        | PlannedBlock.BySample positions ->
            Some(
                $"Kfac: {named positions} enter in a way that is no product with inputs; their gradients are taken "
                + "one sample after the other"
            )
        | PlannedBlock.Unused positions ->
            Some $"Kfac: {named positions}: the outputs do not depend on {positions.Length} of the parameters"
        | _ -> None

    /// The blocks of a model's uses of parameters.
    let make (layout: ParameterLayout) (uses: ParameterUses) : BlockPlan =
        let n = layout.Size

        let sets =
            [|
                for parameterUse in uses.Uses -> ParameterViews.positions (placesOf parameterUse.Kind)
                for places in uses.Others -> ParameterViews.positions places
            |]

        let used =
            [ 0 .. sets.Length - 1 ]
            |> List.groupBy (Array.get (join n sets))
            |> List.map (fun (_, members) -> ofUses uses sets members)
            |> List.filter (fun block -> (positions block).Length > 0)

        let seen = HashSet(used |> Seq.collect positions)

        let unused =
            [|
                for position in 0 .. n - 1 do
                    if not (seen.Contains position) then position
            |]

        let blocks = if unused.Length > 0 then used @ [ PlannedBlock.Unused unused ] else used
        let inOrder = blocks |> List.sortBy (positions >> Array.min)
        { Blocks = inOrder; Warnings = inOrder |> List.choose (warning layout) }

    /// Raises DataException where the uses for another batch are not those that the plan was made of.
    let check (suffix: string) (first: ParameterUses) (other: ParameterUses) =
        let same (a: ParameterUse) (b: ParameterUse) =
            match a.Kind, b.Kind with
            | UseKind.Elements _, UseKind.Elements _ -> true
            | UseKind.Weights _, UseKind.Weights _
            | UseKind.Rows _, UseKind.Rows _ -> (again (placesOf a.Kind) (placesOf b.Kind)) = ValueSome false
            | _ -> false

        if
            first.Uses.Length <> other.Uses.Length
            || first.Others.Length <> other.Others.Length
            || not (Array.forall2 same first.Uses other.Uses)
        then
            Fail.data $"Kfac{suffix}: the model uses its parameters in another way than for the first batch"
