using System.Reflection;
using System.Reflection.Emit;

namespace Thole.Architecture.Tests;

/// <summary>
/// Which types the code of a type names: in its declaration, in its members and inside its methods. Read from the compiled code,
/// because a using line says less (a neighbour can be named without one) and more (a using may be idle).
/// </summary>
internal static class CodeReader
{
    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    public static IReadOnlySet<Type> TypesIn(Type type)
    {
        HashSet<Type> found = [];
        Add(found, type.BaseType);
        Array.ForEach(type.GetInterfaces(), face => Add(found, face));

        foreach (var field in type.GetFields(House.Declared))
        {
            Add(found, field.FieldType);
        }

        foreach (var method in type.GetMethods(House.Declared).Cast<MethodBase>().Concat(type.GetConstructors(House.Declared)))
        {
            Add(found, (method as MethodInfo)?.ReturnType);
            Array.ForEach(method.GetParameters(), parameter => Add(found, parameter.ParameterType));
            if (method.GetMethodBody() is { } body)
            {
                foreach (var local in body.LocalVariables)
                {
                    Add(found, local.LocalType);
                }

                AddInstructions(found, method, body.GetILAsByteArray()!);
            }
        }

        return found;
    }

    private static void AddInstructions(HashSet<Type> found, MethodBase method, byte[] code)
    {
        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];

        for (var at = 0; at < code.Length; )
        {
            var value = code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at];
            var instruction = s_opCodes[value];
            at += instruction.Size;

            switch (instruction.OperandType)
            {
                case OperandType.InlineType or OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok:
                    Add(found, method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments));
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + 4 * BitConverter.ToInt32(code, at);
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at++;
                    break;
                case OperandType.InlineNone:
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    private static void Add(HashSet<Type> found, MemberInfo? member)
    {
        switch (member)
        {
            case null:
                break;
            case Type { HasElementType: true } type:
                Add(found, type.GetElementType());
                break;
            case Type type:
                if (type.IsGenericType && !type.IsGenericTypeDefinition)
                {
                    Array.ForEach(type.GetGenericArguments(), argument => Add(found, argument));
                    type = type.GetGenericTypeDefinition();
                }

                found.Add(type);
                break;
            default:
                Add(found, member.DeclaringType);
                if (member is MethodInfo { IsGenericMethod: true } method)
                {
                    Array.ForEach(method.GetGenericArguments(), argument => Add(found, argument));
                }

                break;
        }
    }
}
