// The endpoint on Nest with class-validator. Refuses the whole request; keeps numbers in memory.
import 'reflect-metadata';
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  ArgumentsHost,
  BadRequestException,
  Body,
  CanActivate,
  Catch,
  Controller,
  ExceptionFilter,
  ExecutionContext,
  HttpCode,
  Injectable,
  Module,
  Post,
  UnauthorizedException,
  UseGuards,
  ValidationError,
  ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NestExpressApplication } from '@nestjs/platform-express';
import { Type } from 'class-transformer';
import {
  IsArray,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsRFC3339,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';

class AccountBalance {
  @IsString() @IsNotEmpty() @MaxLength(255) communicationNumber!: string;
  @IsString() @MaxLength(100) requester!: string;
  @IsString() accountExtId!: string;
  @IsString() @IsRFC3339() balanceAt!: string;
  @IsNumber() value!: number;
  @IsOptional() @IsNumber() equivalentValue?: number;
  @IsOptional() @IsString() balanceType?: string;
  @IsOptional() @IsString() businessUnit?: string;
}

class Batch {
  @IsArray()
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => AccountBalance)
  accountBalances!: AccountBalance[];
}

interface Result {
  resultType: string;
  communicationNumber: string;
  accountExtId: string;
  businessUnit?: string;
  errorCode?: string;
  errorDescription?: string;
  timeElapsedMs: number;
}

const digest = (text: string) => createHash('sha256').update(text).digest();
const token = digest(process.env.BATCHPROOF_TOKEN!);

@Injectable()
class BearerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const [, given] = /^Bearer +(\S+) *$/i.exec(http.getRequest().headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(digest(given), token)) return true;
    http.getResponse().set('WWW-Authenticate', 'Bearer');
    throw new UnauthorizedException({ error: { code: 'unauthorized' } });
  }
}

function firstProblem(errors: ValidationError[], path = ''): string {
  const { property, constraints, children } = errors[0];
  return constraints ? `${path}${Object.values(constraints)[0]}` : firstProblem(children!, `${path}${property}.`);
}

@Controller('amlyze-ws-rest/batch-account-balances')
@UseGuards(BearerGuard)
class BalancesController {
  private readonly used = new Set<string>();

  @Post()
  @HttpCode(200)
  importBalances(@Body() batch: Batch): { results: Result[]; timeElapsedMs: number } {
    const began = performance.now();
    const results = batch.accountBalances.map((item) => this.register(item));
    return { results, timeElapsedMs: Math.floor(performance.now() - began) };
  }

  private register({ communicationNumber, accountExtId, businessUnit }: AccountBalance): Result {
    const identity = { communicationNumber, accountExtId, businessUnit: businessUnit ?? undefined };
    if (this.used.has(communicationNumber)) {
      const errorDescription = 'CommunicationNumber already used in AMLYZE';
      return { resultType: 'REQUEST_REJECTED', ...identity, errorCode: 'O005', errorDescription, timeElapsedMs: 0 };
    }
    this.used.add(communicationNumber);
    return { resultType: 'REQUEST_ACCEPTED', ...identity, timeElapsedMs: 0 };
  }
}

// The framework's validation walks the body recursively; thousands of nested arrays would be a 500.
@Catch(RangeError)
class TooDeepFilter implements ExceptionFilter {
  catch(_: RangeError, host: ArgumentsHost): void {
    const refusal = { resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription: 'nested too deep' };
    host.switchToHttp().getResponse().status(400).json(refusal);
  }
}

@Module({ controllers: [BalancesController] })
class AppModule {}

async function main() {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error'] });
  // The default limit, 100 kB, is about 400 items.
  app.useBodyParser('json', { limit: '64mb' });
  app.useGlobalFilters(new TooDeepFilter());
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      exceptionFactory: (errors) =>
        new BadRequestException({
          resultType: 'REQUEST_REJECTED',
          errorCode: 'O001',
          errorDescription: firstProblem(errors),
        }),
    }),
  );
  const server = await app.listen(Number(process.env.PORT), '127.0.0.1');
  // Longer than a gateway keeps an idle connection; the default is 5 s.
  server.keepAliveTimeout = 75_000;
}

void main();
